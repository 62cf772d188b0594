"""What becomes of asking an authority; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

MISCONFIGURED, AUTHORITY_MISCONFIGURED, AUTHORITY_UNKNOWN = (
    "Misconfigured",
    "AuthorityMisconfigured",
    "AuthorityUnknown",
)
"""That there is none because operators have something to mend; no authority was asked."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A chain and its key, as PEM; the names that the authority did not believe are ours, each with why; when it
    suggests to renew (RFC 9773); the names that it was ordered for."""

    chain: str
    key: str
    left_out: "Mapping[str, Failed]" = field(default_factory=dict)
    renew_at: datetime | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """When an authority suggests to renew, if it says anything, and when it may be asked again."""

    renew_at: datetime | None
    ask_at: datetime


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing more can be had than what is there; the names that it is not for, each with why."""

    left_out: "Mapping[str, Failed]"


class Failed(Exception):  # noqa: N818 - the trade's words, not suffixes
    """There is none: a code for machines, why, as text that can be stored, how long the authority asks to wait, and for
    which names there is none."""

    def __init__(
        self, code: str, message: str, wait: timedelta | None = None, names: Iterable[str] = ()
    ) -> None:
        self.code, self.message, self.wait, self.names = code, plain(message), wait, tuple(names)
        super().__init__(self.message)


def plain(text: str) -> str:
    """What somebody else said, as text that can be stored and shown."""
    return "".join(each if each.isprintable() else " " for each in text)[:4000]
