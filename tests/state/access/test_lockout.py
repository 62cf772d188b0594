"""How long failures make one wait: laws that hold whatever the clock does."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from state.access.lockout import FREE, LONGEST_OWN, LONGEST_SHARED, Failures, counted, pause, rest, settled

TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
LONGEST = st.sampled_from([LONGEST_SHARED, LONGEST_OWN])


def test_the_first_failures_cost_nothing_and_then_the_pause_doubles_up_to_the_longest() -> None:
    seconds = [pause(count, LONGEST_SHARED).total_seconds() for count in range(FREE + 12)]
    assert seconds == [0] * FREE + [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]


@given(st.integers(0, 10**9), LONGEST)
def test_no_pause_is_for_good(count: int, longest: timedelta) -> None:
    assert timedelta() <= pause(count, longest) <= longest


@given(st.integers(0, 10**9), TIMES, TIMES, LONGEST)
def test_whatever_the_clock_does_nobody_waits_longer_than_the_pause(
    count: int, last: datetime, now: datetime, longest: timedelta
) -> None:
    failures = settled(Failures(count, last), now)
    left = rest(failures, longest, now)
    assert timedelta() <= left <= pause(count, longest)
    assert rest(failures, longest, now + left) == timedelta()
    assert failures.count == count


@given(st.integers(0, 100), TIMES, TIMES)
def test_another_failure_is_one_more(count: int, last: datetime, now: datetime) -> None:
    assert counted(Failures(count, last), now) == Failures(count + 1, now)
    assert counted(None, now) == Failures(1, now)
