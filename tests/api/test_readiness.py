"""Whether everything is ready, judged by what is known."""

from datetime import UTC, datetime, timedelta

import pytest

from api.readiness import Check, judge
from state.loops import PASS, PLANS, SWEEP, Loop
from state.vitals import Waiting

NOW = datetime(2026, 5, 1, tzinfo=UTC)
NOTHING = Waiting()
FINE = (Loop(PASS, "web1", NOW), Loop(PLANS, "", NOW), Loop(SWEEP, "web1", NOW))


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def faults(waiting: Waiting = NOTHING, loops: tuple[Loop, ...] = FINE, hosts: str = "web1") -> dict[str, str]:
    checks = judge(waiting, loops, frozenset(hosts.split()), 600, NOW)
    assert [check.name for check in checks] == ["database", "queue", "loop", "sweep"]
    return {check.name: check.fault for check in checks if check.fault}


def test_all_is_well_when_workers_are_heard_of() -> None:
    assert faults() == {}
    assert (
        faults(Waiting(documents=500, plans=3, oldest_plan=ago(59), deliveries=9, oldest_delivery=ago(299)))
        == {}
    )


@pytest.mark.parametrize(
    ("waiting", "words"),
    [
        (Waiting(plans=1, oldest_plan=ago(61)), "a plan has waited for 61 s"),
        (Waiting(deliveries=1, oldest_delivery=ago(301)), "a delivery is late by 301 s"),
    ],
)
def test_what_waits_too_long_is_told(waiting: Waiting, words: str) -> None:
    assert words in faults(waiting)["queue"]


@pytest.mark.parametrize(
    ("loops", "hosts", "words"),
    [
        ((), "", "no worker has ever been here"),
        ((*FINE[1:], Loop(PASS, "web1", ago(61))), "web1", "1 of 2 loops have not been heard of"),
        ((*FINE[:1], Loop(PLANS, "", ago(61))), "web1", "1 of 2 loops have not been heard of"),
        (FINE, "web1 web2", "1 of 3 loops have not been heard of"),
        ((Loop(PASS, "web1", NOW, ago(1801)), *FINE[1:]), "web1", "1 of 2 loops are stuck"),
    ],
)
def test_a_loop_that_is_silent_or_stuck_is_told(loops: tuple[Loop, ...], hosts: str, words: str) -> None:
    assert words in faults(loops=loops, hosts=hosts)["loop"]


def test_a_round_may_take_its_time() -> None:
    assert faults(loops=(Loop(PASS, "web1", NOW, ago(900)), *FINE[1:])) == {}


def test_a_host_that_nobody_looks_at_is_told() -> None:
    late = (*FINE[:2], Loop(SWEEP, "web1", ago(3601)))
    assert "1 of 1 hosts" in faults(loops=late)["sweep"]


def test_hosts_that_are_listed_no_more_are_not_missed() -> None:
    assert faults(loops=(*FINE, Loop(PASS, "old", ago(10**6)), Loop(SWEEP, "old", ago(10**6)))) == {}


def test_a_clock_that_is_ahead_makes_nothing_late() -> None:
    ahead = tuple(Loop(loop.loop, loop.target, ago(-3600)) for loop in FINE)
    assert faults(Waiting(plans=1, oldest_plan=ago(-3600)), ahead) == {}


def test_the_oldest_is_told() -> None:
    checks = judge(Waiting(plans=1, oldest_plan=ago(7)), FINE, {"web1"}, 600, NOW)
    assert checks[1] == Check("queue", age=7.0)
