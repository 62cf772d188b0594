"""How often one may ask: the same in memory and in Redis."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from api.errors import TooMany
from api.rates import MINUTE, Rate, Rates, what_is_left
from api.visit import Visit
from api.windows import Windows
from state.settings import Settings
from tests.conftest import Redis

HOME, OFFICE = "203.0.113.9", "198.51.100.7"


@dataclass
class Counting:
    """Rates somewhere, and a way to let time pass there."""

    settings: Settings
    rates: Rates
    pass_time: Callable[[float], None]

    def hits(
        self, count: int, rate: Rate, address: str = HOME, name: str = "", familiar: bool = False
    ) -> int:
        """How many of so many attempts are let through."""
        return sum(self.hit(rate, address, name, familiar) is None for _ in range(count))

    def hit(self, rate: Rate, address: str = HOME, name: str = "", familiar: bool = False) -> TooMany | None:
        visit = Visit("r", address, False, False)
        try:
            if name:
                self.rates.by_account(visit, name, familiar=familiar)
            else:
                self.rates.by_address(visit, rate)
        except TooMany as error:
            return error
        return None


def _in_memory() -> Counting:
    now, settings = [0.0], Settings()

    def pass_time(seconds: float) -> None:
        now[0] += seconds

    return Counting(settings, Rates(settings, windows=Windows(lambda: now[0])), pass_time)


def _in_redis(server: Redis) -> Counting:
    def pass_time(seconds: float) -> None:
        for key in server.client.keys("ghostcp:rates:*"):
            server.client.pexpire(key, server.client.pttl(key) - int(seconds * 1000))

    settings = Settings(redis_url=server.url)
    return Counting(settings, Rates(settings), pass_time)


@pytest.fixture(params=["memory", "redis"])
def counting(request: pytest.FixtureRequest) -> Counting:
    if request.param == "memory":
        return _in_memory()
    server: Redis = request.getfixturevalue("redis_server")
    server.client.flushall()
    return _in_redis(server)


@pytest.mark.parametrize(
    ("rate", "limit"), [(Rate.AUTHENTICATION, 5), (Rate.USERS, 60), (Rate.GENERAL, 1000), (Rate.FILES, 100)]
)
def test_each_class_has_its_limit(counting: Counting, rate: Rate, limit: int) -> None:
    assert counting.hits(limit + 20, rate) == limit
    assert counting.hits(1, rate, OFFICE) == 1


def test_the_window_slides(counting: Counting) -> None:
    counting.hits(60, Rate.USERS)
    counting.pass_time(90)
    assert 28 <= counting.hits(60, Rate.USERS) <= 32
    counting.pass_time(121)
    assert counting.hits(100, Rate.USERS) == 60


def test_who_waits_as_long_as_told_is_let_in(counting: Counting) -> None:
    for pause in (0, 70, 25, 3):
        counting.pass_time(pause)
        counting.hits(60, Rate.USERS)
        refused = counting.hit(Rate.USERS)
        assert refused is not None
        counting.pass_time(refused.details["retry_after"])
        assert counting.hit(Rate.USERS) is None


@settings(deadline=None)
@given(st.data(), st.integers(1, 100))
def test_what_is_left_agrees_with_what_is_let_in(data: st.DataObject, limit: int) -> None:
    now = [0.0]
    windows = Windows(lambda: now[0])
    for _ in range(data.draw(st.integers(0, 3 * limit))):
        now[0] += data.draw(st.sampled_from([0, 0, 0, 1, 7.5, 30]))
        windows.acquire_sliding_window_entry("k", limit, MINUTE)
    left, seconds = what_is_left(limit, *windows.get_sliding_window("k", MINUTE))
    assert sum(windows.acquire_sliding_window_entry("k", limit, MINUTE) for _ in range(2 * limit)) == left
    left, seconds = what_is_left(limit, *windows.get_sliding_window("k", MINUTE))
    assert (left, 1 <= seconds <= 61) == (0, True)
    now[0] += seconds
    assert windows.acquire_sliding_window_entry("k", limit, MINUTE)


def test_a_refused_attempt_does_not_prolong_the_wait(counting: Counting) -> None:
    counting.hits(10_00, Rate.USERS)
    counting.pass_time(61)
    assert counting.hits(1, Rate.USERS) == 1


def test_a_clock_that_jumps_locks_nobody_out(counting: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    counting.hits(60, Rate.USERS)
    real = time.time
    for jump in (86400, -86400):
        monkeypatch.setattr("time.time", lambda jump=jump: real() + jump)
        refused = counting.hit(Rate.USERS)
        assert refused is not None
        assert 1 <= refused.details["retry_after"] <= 61
    counting.pass_time(121)
    assert counting.hits(60, Rate.USERS) == 60


def test_a_network_of_ipv6_is_one_address(counting: Counting) -> None:
    passed = sum(counting.hits(1, Rate.AUTHENTICATION, f"2001:db8::{n:x}") for n in range(50))
    assert passed == 5
    assert counting.hits(1, Rate.AUTHENTICATION, "2001:db8:0:1::1") == 1


def test_fifty_addresses_against_one_account_do_not_keep_its_owner_out(counting: Counting) -> None:
    guesses = sum(counting.hits(5, Rate.AUTHENTICATION, f"192.0.2.{n}", "anna") for n in range(50))
    assert guesses == 5
    assert counting.hits(5, Rate.AUTHENTICATION, HOME, "anna", familiar=True) == 5
    assert counting.hits(5, Rate.AUTHENTICATION, HOME, "bert") == 5


def test_a_name_is_one_however_it_is_written(counting: Counting) -> None:
    passed = sum(counting.hits(1, Rate.AUTHENTICATION, HOME, name) for name in ("anna", "ANNA", "Anna") * 3)
    assert passed == 5
    assert counting.hits(1, Rate.AUTHENTICATION, HOME, "an\nna\ud800/..") == 1


def test_probes_are_counted_and_never_refused(counting: Counting) -> None:
    assert counting.hits(1100, Rate.PROBES) == 1100


def test_the_least_that_is_left_is_told(counting: Counting) -> None:
    visit = Visit("r", HOME, False, False)
    counting.rates.by_address(visit, Rate.GENERAL)
    counting.rates.by_account(visit, "anna", familiar=False)
    counting.rates.by_user(visit, Rate.USERS, "uid")
    assert visit.standing is not None
    assert (visit.standing.limit, visit.standing.remaining) == (5, 4)
    assert time.time() <= visit.standing.reset <= time.time() + 62


def test_processes_share_what_redis_counts(redis_server: Redis) -> None:
    redis_server.client.flushall()
    one, other = _in_redis(redis_server), _in_redis(redis_server)
    assert one.hits(40, Rate.USERS) + other.hits(40, Rate.USERS) == 60


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path)
    yield server
    server.stop()


def test_without_redis_one_counts_in_memory_says_so_once_and_goes_back(own_redis: Redis) -> None:
    rates = Rates(Settings(redis_url=own_redis.url), patience=0)
    counting = Counting(Settings(), rates, lambda _: None)
    assert counting.hits(60, Rate.USERS) == 60
    own_redis.stop()
    with capture_logs() as lines:
        assert counting.hits(70, Rate.USERS) == 60
        own_redis.start()
        assert counting.hits(70, Rate.USERS) == 60
    assert [line["log_level"] for line in lines] == ["warning", "info"]


def test_redis_that_is_away_is_not_asked_for_every_request(tmp_path: Path) -> None:
    rates = Rates(Settings(redis_url=f"unix://{tmp_path}/nobody"))
    counting = Counting(Settings(), rates, lambda _: None)
    assert counting.hits(1, Rate.USERS) == 1
    server = Redis.__new__(Redis)
    server._folder, server.url = tmp_path, f"unix://{tmp_path}/redis.sock"
    server.start()
    try:
        assert counting.hits(70, Rate.USERS) == 59
        assert server.client.dbsize() == 0
    finally:
        server.stop()
