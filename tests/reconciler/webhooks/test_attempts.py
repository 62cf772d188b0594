"""What follows from an attempt, and time that nobody can set."""

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.webhooks.attempts import DELAYS, PATIENCE, Answer, Outcome, judge
from reconciler.webhooks.steady import Steady

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
WEEK_AGO = NOON - PATIENCE


def after(status: int | None, attempts: int = 0, since: datetime | None = None) -> Outcome:
    return judge(Answer(status), "hook", "delivery", attempts=attempts, failing_since=since, now=NOON)


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_every_2xx_is_a_success_which_ends_a_row_of_failures(status: int) -> None:
    outcome = after(status, 3, WEEK_AGO)
    assert (outcome.status, outcome.attempts, outcome.failing_since) == ("delivered", 4, None)


@pytest.mark.parametrize("status", [None, 101, 199, 300, 302, 400, 404, 429, 500, 503])
def test_anything_else_is_tried_again(status: int | None) -> None:
    outcome = after(status)
    assert (outcome.status, outcome.next_at, outcome.failing_since) == ("pending", NOON + DELAYS[0], NOON)


def test_delays_grow_over_about_a_day() -> None:
    assert list(DELAYS) == sorted(DELAYS)
    assert timedelta(hours=22) < sum(DELAYS, timedelta()) < timedelta(hours=26)
    assert after(500, len(DELAYS) - 1).status == "pending"
    assert after(500, len(DELAYS)).status == "failed"


def test_a_webhook_is_given_up_after_a_week_and_no_delivery_less() -> None:
    assert after(500, len(DELAYS), WEEK_AGO).disabled
    assert not after(500, len(DELAYS), WEEK_AGO + timedelta(seconds=1)).disabled
    assert not after(500, 0, WEEK_AGO).disabled
    assert after(410).disabled


def test_a_clock_that_jumps_moves_no_time() -> None:
    wall, passed = [NOON], [100.0]
    steady = Steady(lambda: wall[0], lambda: passed[0])
    wall[0] += timedelta(days=400)
    passed[0] += 5
    assert steady.now() == NOON + timedelta(seconds=5)
    wall[0] -= timedelta(days=800)
    assert steady.now() == NOON + timedelta(seconds=5)
