"""What to do about a certificate: whether one is needed, when that is tried again, and what became of it; pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from reconciler.certificates.answers import (
    AUTHORITY_MISCONFIGURED,
    AUTHORITY_UNKNOWN,
    MISCONFIGURED,
    Failed,
    Issued,
    Suggestion,
)
from reconciler.certificates.unserved import NOT_SERVED, UNHOSTED
from state.certificates.chains import Chain, covers, known_chain, read_chain, read_key
from state.certificates.giving import kept
from state.certificates.limits import COUNTED, rested, waits
from state.compiling import Related
from state.document import Document
from state.job_types import SSL_ISSUE, SSL_RENEW
from state.kinds.certificate import Certificate, asked_of, concerns, hosted, is_to_be_had, names_of, unhosted

PAUSES = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60, 240, 720, 1440))
"""Before the second, third … try; authorities allow five failed validations of a name an hour."""
LONGEST = timedelta(days=7)
ASKED_EVERY = timedelta(hours=6)
"""How often an authority is asked when to renew, unless it says how often (RFC 9773, section 4.3.3)."""
NAME_FAILED = "NameFailed"
"""That the authority does not believe that a name is ours."""
_ENDED = timedelta(hours=4)
"""How long it may be when that one has ended."""
_FOREIGN = frozenset({NOT_SERVED, UNHOSTED})
_FOR_OPERATORS = frozenset({MISCONFIGURED, AUTHORITY_MISCONFIGURED, AUTHORITY_UNKNOWN})
_EARLY, _DAY = timedelta(hours=1), timedelta(days=1)


def needed(document: Document, now: datetime, related: Related) -> str | None:
    """The type of the job that the certificate needs now, if it needs one and can be had."""
    spec = document.spec
    if not isinstance(spec, Certificate) or not is_to_be_had(document):
        return None
    trouble = document.kept.get("trouble")
    if trouble and _paused(document, trouble.get("names") or [document.name], trouble, now, related):
        return None
    lacking = unhosted(document, related)
    chain = known_chain(document.kept)
    if chain is None or document.sealed is None or document.kept.get("provider") != spec.acme_provider:
        return SSL_ISSUE
    if any(not covers(chain.names, name) for name in wanted(document, now, related) if name not in lacking):
        return SSL_ISSUE
    return SSL_RENEW if spec.auto_renew and now >= renewal(chain, document.kept) else None


def wanted(document: Document, now: datetime, related: Related) -> tuple[str, ...]:
    """The names to ask for: all but those that failed and are not to be tried again yet."""
    left = document.kept.get("left_out") or {}
    return tuple(
        n for n in names_of(document) if n not in left or not _paused(document, [n], left[n], now, related)
    )


def renewal(chain: Chain, known: Mapping[str, Any]) -> datetime:
    """When it is renewed: when the authority suggests it, at the latest with a third of its lifetime left; and not
    right after it was had, whatever either of them says."""
    third = chain.valid_until - timedelta(seconds=chain.lifetime / 3)
    suggested, rest = known.get("renew_at"), rested(known)
    wished = third if suggested is None else min(third, _time(suggested))
    return wished if rest is None else max(wished, rest)


def suggestion_due(document: Document, now: datetime) -> bool:
    """Whether its authority is to be asked (again) when it suggests to renew."""
    spec, known = document.spec, document.kept
    if not isinstance(spec, Certificate) or document.deleted or not (spec.is_active and spec.auto_renew):
        return False
    chain = known_chain(known)
    if chain is None or known.get("provider") != spec.acme_provider or now >= chain.valid_until:
        return False
    if known.get("renew_ask_at"):
        return now >= _time(known["renew_ask_at"])
    return not known.get("had_at") or now >= _time(known["had_at"]) + ASKED_EVERY


def suggested(said: Suggestion, now: datetime) -> dict[str, Any]:
    """What is remembered of a suggestion; where nothing was said, what was said before stays."""
    ask_at = min(max(said.ask_at, now + _EARLY), now + _DAY)
    new = {} if said.renew_at is None else {"renew_at": _text(said.renew_at)}
    return {**new, "renew_ask_at": _text(ask_at)}


def not_told(now: datetime) -> dict[str, Any]:
    """What is remembered when the authority did not answer."""
    return suggested(Suggestion(None, now + ASKED_EVERY), now)


def held(document: Document, now: datetime) -> tuple[str, ...]:
    """The names of the one that is there, as long as it is good and another one is wanted for more names only."""
    spec, chain = document.spec, known_chain(document.kept)
    assert isinstance(spec, Certificate)
    if chain is None or document.sealed is None or document.kept.get("provider") != spec.acme_provider:
        return ()
    end = renewal(chain, document.kept) if spec.auto_renew else chain.valid_until
    return chain.names if now < min(end, chain.valid_until) else ()


def enough(there: Iterable[str], names: Iterable[str]) -> bool:
    """Whether a certificate for those that are there is one for all of these names."""
    there = tuple(there)
    return bool(there) and all(covers(there, name) for name in names)


def settled_without(document: Document, now: datetime) -> str:
    """Why a certificate needs nothing now."""
    trouble = document.kept.get("trouble")
    if trouble and _waits(document, trouble, now):
        return f"it is asked for again at {trouble['retry_at']}"
    return "there is one already" if known_chain(document.kept) else "it cannot be asked for yet"


def _paused(
    document: Document, names: Iterable[str], failure: Mapping[str, Any], now: datetime, related: Related
) -> bool:
    """Whether a failure for these names keeps from asking: not that they had no site or zone, once they have one."""
    here = failure.get("code") in _FOREIGN and all(hosted(document, name, related) for name in names)
    return not here and _waits(document, failure, now)


def _waits(document: Document, failure: Mapping[str, Any], now: datetime) -> bool:
    return concerns(document, failure) and now < waits(failure, asked_of(document))


def troubled(document: Document, failed: Failed, now: datetime) -> dict[str, Any]:
    """What is remembered when there is none: why, for which names, how often that was, and when it is tried again."""
    names = {"names": list(failed.names)} if failed.names else {}
    old, longest = document.kept.get("trouble"), _in_time(document.kept, now)
    return {"trouble": {**_again(document, old, failed, now, longest), **names}}


def _in_time(known: Mapping[str, Any], now: datetime) -> timedelta:
    """How long a pause may be, so that another try comes before the end of the one that is there, and the names that a
    renewal insists on until a ninth of the lifetime is left do not make it come too late."""
    chain = known_chain(known)
    if chain is None:
        return LONGEST
    left, shortest = chain.valid_until - now, min(PAUSES[0], timedelta(seconds=chain.lifetime / 30))
    return max(left / 3, shortest) if left > timedelta(0) else _ENDED


def _again(
    document: Document,
    old: Mapping[str, Any] | None,
    failed: Failed,
    now: datetime,
    longest: timedelta = LONGEST,
) -> dict[str, Any]:
    ours = failed.code in COUNTED  # nobody was asked
    tries = (int(old["tries"]) if old else 0) + (not ours)
    pause = timedelta(0) if ours else min(longest, PAUSES[min(tries, len(PAUSES)) - 1])
    if failed.code in _FOR_OPERATORS:  # when they have mended it, nobody is to wait for a day
        pause = min(pause, timedelta(hours=1))
    again = now + min(max(pause, failed.wait or pause), LONGEST)
    told = {"code": failed.code, "message": failed.message, "of": list(asked_of(document))}
    return {**told, "tries": tries, "at": _text(now), "retry_at": _text(again)}


def lost_until(created: datetime, now: datetime) -> datetime:
    """When a job begins again that could not be concluded: as long again as it has been there, a day at most."""
    minute, day = timedelta(minutes=1), timedelta(days=1)
    return now + max(minute, min(day, now - created))


def settled(document: Document, issued: Issued, now: datetime) -> dict[str, Any]:
    """What is remembered of a new one, and of the names that it is not for. Raises Failed when it cannot be used."""
    chain = _usable(document, issued, now)
    short = Failed("BadAnswer", "what the authority gave is not for it")
    lacking = dict.fromkeys(issued.names, short)
    return {
        **kept(chain, issued.key),
        "provider": getattr(document.spec, "acme_provider", None),
        "left_out": _left_out(document, chain.names, {**lacking, **issued.left_out}, now),
        "renew_at": None if issued.renew_at is None else _text(issued.renew_at),
        "had_at": _text(now),
    }


def unchanged(document: Document, left_out: Mapping[str, Failed], now: datetime) -> dict[str, Any]:
    """What is remembered when nothing more was to be had than what is there, which is not for some names."""
    chain = known_chain(document.kept)
    return {"left_out": _left_out(document, chain.names if chain else (), left_out, now), "trouble": None}


def _left_out(
    document: Document, names: tuple[str, ...], problems: Mapping[str, Failed], now: datetime
) -> dict[str, Any] | None:
    """For which of its names there is none, each with why and when it is tried again; None where there is none."""
    old, own = document.kept.get("left_out") or {}, names_of(document)
    lacking = {name: why for name, why in problems.items() if not covers(names, name)}
    left = {name: _again(document, old.get(name), why, now) for name, why in lacking.items()}
    still = {name: each for name, each in old.items() if name in own and not covers(names, name)}
    return {**still, **left} or None


def _usable(document: Document, issued: Issued, now: datetime) -> Chain:
    """The chain that was given. Raises Failed when it cannot be shown for the document's name with the key, now."""
    try:
        chain = read_chain(issued.chain)
    except ValueError as error:
        raise Failed("BadAnswer", f"what the authority gave {error}") from None
    if not covers(chain.names, document.name):
        raise Failed("BadAnswer", f"what the authority gave is for {', '.join(chain.names)}")
    if chain.valid_until <= now or chain.valid_from > now + _EARLY:
        span = f"from {_text(chain.valid_from)} to {_text(chain.valid_until)}"
        raise Failed("BadAnswer", f"what the authority gave is valid {span}, and not now")
    try:
        read_key(issued.key, chain)
    except ValueError as error:
        raise Failed("BadAnswer", f"the key that was made for what the authority gave {error}") from None
    return chain


def without(names: Iterable[str], problems: Mapping[str, str], musts: Iterable[str]) -> tuple[str, ...]:
    """The names that are left when these have problems. Raises Failed when one that must be there has, or none is
    named."""
    names = tuple(names)
    if problems.keys() & set(musts) or not problems.keys() & set(names):
        told = "; ".join(f"{name}: {why}" for name, why in problems.items())
        raise Failed(NAME_FAILED, told or "the authority does not say which name is wrong", names=problems)
    return tuple(name for name in names if name not in problems)


def asked_to_wait(header: str | None, now: datetime) -> timedelta | None:
    """What Retry-After says (RFC 9110, section 10.2.3), seconds or a date; None where it says nothing."""
    try:
        if header is None or header.strip().isdecimal():
            return None if header is None else timedelta(seconds=min(int(header), LONGEST.total_seconds()))
        return max(timedelta(0), parsedate_to_datetime(header) - now)
    except (ValueError, TypeError, OverflowError):
        return None


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
