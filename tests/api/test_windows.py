"""Sliding windows in memory."""

from hypothesis import given, settings
from hypothesis import strategies as st

from api.windows import Windows

steps = st.lists(st.floats(0, 200), max_size=60)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@settings(deadline=None)
@given(steps, st.integers(1, 10))
def test_no_minute_from_one_hit_on_has_more_than_twice_the_limit_and_no_window_more_than_it(
    pauses: list[float], limit: int
) -> None:
    clock = Clock()
    windows, hits = Windows(clock), []
    for pause in pauses:
        clock.now += pause
        if windows.acquire_sliding_window_entry("k", limit, 60):
            hits.append(clock.now)
        previous, left, current, expires = windows.get_sliding_window("k", 60)
        assert current <= limit
        assert previous * left / 60 + current < limit + 1
        assert 0 <= left < 60.001
        assert 59.999 < expires < 120.001
    for first in hits:
        assert sum(first <= hit < first + 60 for hit in hits) < 2 * limit + 1


@settings(deadline=None)
@given(steps, st.integers(1, 10))
def test_who_waits_two_minutes_has_everything_again(pauses: list[float], limit: int) -> None:
    clock = Clock()
    windows = Windows(clock)
    for pause in pauses:
        clock.now += pause
        windows.acquire_sliding_window_entry("k", limit, 60)
    clock.now += 120
    assert all(windows.acquire_sliding_window_entry("k", limit, 60) for _ in range(limit))
    assert not windows.acquire_sliding_window_entry("k", limit, 60)


def test_no_more_keys_are_kept_than_may_be() -> None:
    windows = Windows(keys=100)
    for number in range(1000):
        windows.acquire_sliding_window_entry(f"k{number}", 5, 60)
        windows.acquire_sliding_window_entry("busy", 10**6, 60)
    assert len(windows) == 100
    assert windows.get("busy") == 1000
    assert windows.get("k1") == 0


def test_what_was_counted_can_be_forgotten() -> None:
    windows = Windows()
    windows.acquire_sliding_window_entry("a", 1, 60)
    windows.acquire_sliding_window_entry("b", 1, 60)
    windows.clear_sliding_window("a", 60)
    assert windows.acquire_sliding_window_entry("a", 1, 60)
    assert windows.reset() == 2
    assert windows.acquire_sliding_window_entry("b", 1, 60)
