"""What to do about a certificate: whether one is needed, when that is tried again, and what became of it; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from state.chains import Chain, covers, known_chain, read_chain
from state.document import Document
from state.job_types import SSL_ISSUE, SSL_RENEW
from state.kind import Related
from state.kinds.certificate import Certificate, kept, names_of, unhosted

PAUSES = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60, 240, 720, 1440))
"""Before the second, third … try; authorities allow five failed validations of a name an hour."""
LONGEST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Issued:
    """A chain and its key, as PEM; the names that the authority did not believe are ours, each with why; when it
    suggests to renew (RFC 9773)."""

    chain: str
    key: str
    left_out: Mapping[str, str] = field(default_factory=dict)
    renew_at: datetime | None = None


class Failed(Exception):  # noqa: N818 - the trade's words, not suffixes
    """There is none: a code for machines, why, and how long the authority asks to wait."""

    def __init__(self, code: str, message: str, wait: timedelta | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.wait = code, message, wait


def needed(document: Document, now: datetime, related: Related) -> str | None:
    """The type of the job that the certificate needs now, if it needs one and can be had."""
    spec = document.spec
    if not isinstance(spec, Certificate) or document.deleted or not spec.is_active or not spec.acme_provider:
        return None
    if _paused(document.kept.get("trouble"), now):
        return None
    lacking = unhosted(document, related)
    if document.name in lacking:
        return None
    chain = known_chain(document.kept)
    if chain is None or document.sealed is None or document.kept.get("provider") != spec.acme_provider:
        return SSL_ISSUE
    if any(not covers(chain.names, name) for name in wanted(document, now) if name not in lacking):
        return SSL_ISSUE
    return SSL_RENEW if spec.auto_renew and now >= renewal(chain, document.kept) else None


def wanted(document: Document, now: datetime) -> tuple[str, ...]:
    """The names to ask for: all but those that failed and are not to be tried again yet."""
    left_out = document.kept.get("left_out") or {}
    return tuple(name for name in names_of(document) if not _paused(left_out.get(name), now))


def renewal(chain: Chain, known: Mapping[str, Any]) -> datetime:
    """When it is renewed: when the authority suggests it, at the latest with a third of its lifetime left."""
    third = chain.valid_until - timedelta(seconds=chain.lifetime / 3)
    suggested = known.get("renew_at")
    return third if suggested is None else min(third, _time(suggested))


def _paused(trouble: Mapping[str, Any] | None, now: datetime) -> bool:
    return trouble is not None and now < _time(trouble["retry_at"])


def troubled(document: Document, failed: Failed, now: datetime) -> dict[str, Any]:
    """What is remembered when there is none: why, how often that was, and when it is tried again."""
    return {"trouble": {"code": failed.code, **_again(document.kept.get("trouble"), failed, now)}}


def _again(old: Mapping[str, Any] | None, failed: Failed, now: datetime) -> dict[str, Any]:
    tries = int(old["tries"]) + 1 if old else 1
    pause = PAUSES[min(tries, len(PAUSES)) - 1]
    again = now + min(max(pause, failed.wait or pause), LONGEST)
    return {"message": failed.message[:4000], "tries": tries, "retry_at": _text(again)}


def settled(document: Document, issued: Issued, now: datetime) -> dict[str, Any]:
    """What is remembered of a new one, and of the names that it is not for. Raises Failed when it cannot be used."""
    try:
        chain = read_chain(issued.chain)
    except ValueError as error:
        raise Failed("BadAnswer", f"what the authority gave {error}") from None
    if not covers(chain.names, document.name):
        raise Failed("BadAnswer", f"what the authority gave is for {', '.join(chain.names)}")
    old = document.kept.get("left_out") or {}
    left = {name: _again(old.get(name), Failed("", why), now) for name, why in issued.left_out.items()}
    waiting = {name: each for name, each in old.items() if name in names_of(document) and name not in left}
    still = {name: each for name, each in waiting.items() if not covers(chain.names, name)}
    return {
        **kept(chain, issued.key),
        "provider": getattr(document.spec, "acme_provider", None),
        "left_out": {**still, **left} or None,
        "renew_at": None if issued.renew_at is None else _text(issued.renew_at),
    }


def without(names: Iterable[str], problems: Mapping[str, str], main: str) -> tuple[str, ...]:
    """The names that are left when these have problems. Raises Failed when the main one has, or none is named."""
    names = tuple(names)
    if main in problems or not problems.keys() & set(names):
        told = "; ".join(f"{name}: {why}" for name, why in problems.items())
        raise Failed("NameFailed", told or "the authority does not say which name is wrong")
    return tuple(name for name in names if name not in problems)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
