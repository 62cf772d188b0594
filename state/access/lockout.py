"""How long failures to prove who one is make the next try wait: longer each time, never for good; pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

FREE = 5
LONGEST_SHARED, LONGEST_OWN = timedelta(seconds=300), timedelta(seconds=900)
_NONE = timedelta()


@dataclass(frozen=True, slots=True)
class Failures:
    """How many tries failed one after the other, and when the last one did."""

    count: int
    last_at: datetime


def pause(count: int, longest: timedelta) -> timedelta:
    """The time after so many failures: none for the first few, then 1, 2, 4 … seconds up to the longest."""
    if count < FREE:
        return _NONE
    return min(timedelta(seconds=2 ** min(count - FREE, 20)), longest)


def rest(failures: Failures, longest: timedelta, now: datetime) -> timedelta:
    """What is left of the pause; no more than all of it, whatever the clock did meanwhile."""
    full = pause(failures.count, longest)
    return min(full, max(_NONE, failures.last_at + full - now))


def counted(failures: Failures | None, now: datetime) -> Failures:
    """With one more failure."""
    return Failures((failures.count if failures else 0) + 1, now)


def settled(failures: Failures, now: datetime) -> Failures:
    """The failures as a clock that went back finds them: no later than now, so that a pause does end."""
    return Failures(failures.count, min(failures.last_at, now))
