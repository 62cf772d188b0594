"""What follows from one attempt to deliver: it is done, tried again later, or given up, and a webhook may be; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from state.journal.deliveries import DELIVERED, FAILED, PENDING

_SECOND, _MINUTE, _HOUR = 1, 60, 3600
DELAYS = tuple(
    timedelta(seconds=seconds)
    for seconds in (
        *(5 * _SECOND, 30 * _SECOND, 2 * _MINUTE, 10 * _MINUTE, 30 * _MINUTE),
        *(1 * _HOUR, 2 * _HOUR, 4 * _HOUR, 8 * _HOUR, 8 * _HOUR),
    )
)
PATIENCE = timedelta(days=7)
GONE = 410


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an attempt: the status of the answer, none without one, and why it is no success."""

    status: int | None = None
    message: str = ""

    @property
    def good(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is to be recorded of an attempt; `disabled` is why the webhook is given up, empty when it is not."""

    webhook: str
    delivery: str
    status: str
    attempts: int
    answer: Answer
    next_at: datetime | None = None
    failing_since: datetime | None = None
    disabled: str = ""


def judge(
    answer: Answer,
    webhook: str,
    delivery: str,
    *,
    attempts: int,
    failing_since: datetime | None,
    now: datetime,
    stretch: float = 1.0,
    delays: Sequence[timedelta] = DELAYS,
) -> Outcome:
    """What follows, `attempts` having been made before; delays are `stretch` times what they are for everybody.

    A webhook is given up when it says that it is gone, and when a delivery fails for good after a week of failures.
    """
    made = attempts + 1
    if answer.good:
        return Outcome(webhook, delivery, DELIVERED, made, answer)
    since = failing_since or now
    if answer.status == GONE:
        gone = "the receiver answered 410 Gone"
        return Outcome(webhook, delivery, FAILED, made, answer, None, since, gone)
    if attempts < len(delays):
        next_at = now + delays[attempts] * stretch
        return Outcome(webhook, delivery, PENDING, made, answer, next_at, since)
    given_up = "nothing was delivered for a week" if now - since >= PATIENCE else ""
    return Outcome(webhook, delivery, FAILED, made, answer, None, since, given_up)
