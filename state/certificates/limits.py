"""How often authorities are asked: what is waited for after success, after failures, and after what others were told.

Authorities count certificates for the same names by the week, failed validations of a name by the hour, and orders of
an account, of which there is one for all owners. Pure.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from state.certificates.chains import known_chain

RATE_LIMITED, LEFT_ALONE = "RateLimited", "AuthorityLimited"
"""Why there is none: the authority said so of this one; it said so of others."""
_REST = (timedelta(hours=1), timedelta(hours=36))
_FREE, _PAUSE = 3, timedelta(minutes=30)
_EVERYONE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Limit:
    """Of whose certificate an authority said at some time that it wants to be left alone, and until when."""

    owner: str
    at: datetime
    until: datetime


def rested(kept: Mapping[str, Any]) -> datetime | None:
    """Until when one that was had is enough, whoever wants another: 36 hours, or a third of its lifetime, an hour at
    least. None where there is none, or nobody knows since when."""
    chain, since = known_chain(kept), kept.get("had_at")
    if chain is None or since is None:
        return None
    least, most = _REST
    return _time(since) + max(least, min(most, timedelta(seconds=chain.lifetime / 3)))


def by_hand(kept: Mapping[str, Any], now: datetime) -> datetime | None:
    """The moment before which nobody may ask for one; None when it has come.

    After failures one may ask at once, three times, and then every half hour; where names were left out, for these.
    """
    trouble, left_out = kept.get("trouble"), kept.get("left_out")
    waits = [min(map(_patience, left_out.values())) if left_out else rested(kept)]
    until = max((each for each in (*waits, trouble and _patience(trouble)) if each), default=None)
    return until if until and now < until else None


def _patience(failure: Mapping[str, Any]) -> datetime:
    """When somebody may ask again after this."""
    if failure.get("code") in {RATE_LIMITED, LEFT_ALONE}:
        return _time(failure["retry_at"])
    if failure["tries"] < _FREE or "at" not in failure:
        return datetime.min.replace(tzinfo=UTC)
    return _time(failure["at"]) + _PAUSE


def left_alone(limits: Iterable[Limit], owner: str, now: datetime) -> datetime | None:
    """Until when an authority is left alone by an owner, since it refused several certificates, of this owner or of
    different ones: what it says of one is mostly about its names. For a quarter of an hour after it said so, at most:
    nobody keeps others from theirs for longer."""
    fresh = [limit for limit in limits if now < _ends(limit)]
    alone = len({limit.owner for limit in fresh}) < 2
    counted = [limit for limit in fresh if limit.owner == owner] if alone else fresh
    return max(_ends(limit) for limit in counted) if len(counted) >= 2 else None


def _ends(limit: Limit) -> datetime:
    return min(limit.until, limit.at + _EVERYONE)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
