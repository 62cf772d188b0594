"""Certificates that have ended, or will soon: told of from the moment on at which there is something to say."""

from datetime import UTC, datetime, timedelta

import pytest

from state.certificates.chains import Chain
from state.certificates.ends import ended, ends_soon

UNTIL = datetime(2026, 6, 30, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def _chain(days: float) -> Chain:
    return Chain("", "Trust", "", (), UNTIL - timedelta(days=days), UNTIL, "")


@pytest.mark.parametrize(("days", "before"), [(90, 21), (365, 21), (63, 21), (6, 2)])
def test_its_end_is_told_of_three_weeks_before_or_a_third_of_its_lifetime(days: float, before: float) -> None:
    chain, begins = _chain(days), UNTIL - timedelta(days=before)
    assert ends_soon(chain, begins - SECOND, "renew it") == ()
    for moment in (begins, UNTIL - SECOND):
        (reason,) = ends_soon(chain, moment, "renew it")
        assert reason.code == "EndsSoon"
        assert reason.message == "the certificate of Trust ends on 2026-06-30 12:00 UTC: renew it"
    assert ends_soon(chain, UNTIL, "renew it") == ()


def test_it_has_ended_from_its_last_moment_on() -> None:
    chain = _chain(90)
    assert ended(chain, UNTIL - SECOND, "renew it") == ()
    (reason,) = ended(chain, UNTIL, "renew it")
    assert (reason.code, "2026-06-30 12:00" in reason.message) == ("Ended", True)


def test_without_a_clock_there_is_nothing_to_say() -> None:
    assert ended(_chain(90), None, "") == ends_soon(_chain(90), None, "") == ()
