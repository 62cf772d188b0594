"""How often authorities are asked: what is waited for after success, after failures, and after what others were told.

Authorities count certificates for the same names by the week, failed validations of a name by the hour, and orders of
an account by the hour, of which there is one for all owners. What was had and ordered is counted whatever became of
the documents since. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from state.certificates.chains import known_chain

RATE_LIMITED, LEFT_ALONE = "RateLimited", "AuthorityLimited"
"""Why there is none: the authority said so of this one; it said so of others."""
NAMES_LIMITED, OWNER_LIMITED, FAILURES_LIMITED = "NamesLimited", "OwnerLimited", "FailuresLimited"
"""Why none is ordered: enough were had for just these names; its owner has ordered enough; one of the names was not
believed often enough."""
COUNTED = frozenset({NAMES_LIMITED, OWNER_LIMITED, FAILURES_LIMITED, LEFT_ALONE})
"""Nobody was asked: it is no failed try."""
OF_NAMES = frozenset({NAMES_LIMITED, FAILURES_LIMITED})
"""What is so for just the names that were to be ordered."""
ALIKE, WEEK = 4, timedelta(days=7)
"""How many are had for just the same names; Let's Encrypt gives five."""
ORDERS, HOURS = 100, timedelta(hours=3)
"""How many one owner orders; Let's Encrypt takes 300 from an account, which all owners share."""
FAILURES, HOUR = 4, timedelta(hours=1)
"""How often a name is put to an authority in vain; Let's Encrypt allows five failed validations of one."""
_REST = (timedelta(minutes=5), timedelta(hours=36))
_FREE, _PAUSE = 3, timedelta(minutes=30)
EVERYONE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Past:
    """When certificates for just the same names were had from an authority, when an owner ordered any there, and when
    one of the names, that which failed most often, was not believed."""

    had: tuple[datetime, ...] = ()
    orders: tuple[datetime, ...] = ()
    failures: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Bound:
    """Why nothing is ordered, as a code and as text, and until when."""

    code: str
    message: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Limit:
    """Of whose certificate an authority said at some time that it wants to be left alone, and until when."""

    owner: str
    at: datetime
    until: datetime


def bound(past: Past, provider: str, now: datetime) -> Bound | None:
    """What keeps an owner from one more order for the same names with this authority; None when nothing does."""
    alike = f"{ALIKE} certificates for just these names were had from {provider} within {WEEK.days} days"
    failures = f"one of the names was not believed {FAILURES} times by {provider} within an hour"
    orders = f"{ORDERS} orders of this owner were put to {provider} within 3 hours"
    found = (
        (NAMES_LIMITED, f"{alike}, and it gives few", _full(past.had, ALIKE, WEEK, now)),
        (OWNER_LIMITED, f"{orders}, which takes so many from all", _full(past.orders, ORDERS, HOURS, now)),
        (FAILURES_LIMITED, f"{failures}, and it takes few", _full(past.failures, FAILURES, HOUR, now)),
    )
    bounds = [Bound(code, message, until) for code, message, until in found if until is not None]
    return max(bounds, key=lambda each: each.until, default=None)


def _full(moments: Iterable[datetime], most: int, span: timedelta, now: datetime) -> datetime | None:
    """When fewer than `most` of these are within the span before; None when it is so now."""
    fresh = sorted(each for each in moments if now < each + span)
    return fresh[-most] + span if len(fresh) >= most else None


def rested(kept: Mapping[str, Any]) -> datetime | None:
    """Until when one that was had is not renewed by itself: 36 hours, or a third of its lifetime, 5 minutes at least.
    None where there is none, or nobody knows since when."""
    chain, since = known_chain(kept), kept.get("had_at")
    if chain is None or since is None:
        return None
    least, most = _REST
    return _time(since) + max(least, min(most, timedelta(seconds=chain.lifetime / 3)))


def anew(kept: Mapping[str, Any], now: datetime) -> bool:
    """Whether who asks is to have another one, and not only one for names that were left out: the last one is not
    quite new, and its key may have been stolen."""
    until = _just_had(kept)
    return until is None or now >= until or not kept.get("left_out")


def _just_had(kept: Mapping[str, Any]) -> datetime | None:
    """Until when one is too new for anybody to want another."""
    rest = rested(kept)
    return None if rest is None else min(rest, _time(kept["had_at"]) + HOUR)


def last_third(kept: Mapping[str, Any], provider: str) -> datetime | None:
    """When the last third of the lifetime begins of one that was had from this authority: from then on the next one is
    not one too many, however many there were, since they live no longer. None where there is none."""
    chain = known_chain(kept)
    if chain is None or kept.get("provider") != provider:
        return None
    return chain.valid_until - timedelta(seconds=chain.lifetime / 3)


def by_hand(kept: Mapping[str, Any], now: datetime, asked: Sequence[str] = ()) -> datetime | None:
    """The moment before which nobody may ask for one, whatever was had before; None when it has come.

    An hour after one was had one may ask for another. After failures one may ask at once, three times, and then every
    half hour; where names were left out, for these.
    """
    trouble, left_out, had = kept.get("trouble"), kept.get("left_out") or {}, _just_had(kept)
    patience = [_patience(each, asked) for each in left_out.values()]
    waits = (had and min([had, *patience]), trouble and _patience(trouble, asked))
    until = max((each for each in waits if each), default=None)
    return until if until and now < until else None


def is_about(failure: Mapping[str, Any], asked: Sequence[str]) -> bool:
    """Whether it failed when the same was asked for as is now: of the same authority, in the same way."""
    return failure.get("of") in (None, list(asked))


def waits(failure: Mapping[str, Any], asked: Sequence[str]) -> datetime:
    """When it is tried again by itself; who has corrected what is asked for since waits as who asks by hand."""
    again = _time(failure["retry_at"])
    return again if is_about(failure, asked) else min(again, _patience(failure, asked))


def _patience(failure: Mapping[str, Any], asked: Sequence[str]) -> datetime:
    """When somebody may ask again after this."""
    if failure.get("code") in {RATE_LIMITED, LEFT_ALONE}:
        same = is_about(failure, asked) or failure["of"][:1] == list(asked[:1])
        return _time(failure["retry_at"]) if same or not asked else datetime.min.replace(tzinfo=UTC)
    if failure["tries"] < _FREE or "at" not in failure or failure.get("code") in COUNTED:
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
    return min(limit.until, limit.at + EVERYONE)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
