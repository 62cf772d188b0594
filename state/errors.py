"""What can go wrong, in words of the trade; the doors translate it, the verbs decide by it whether to retry.

GhostError
├── Invalid            can never be right: every fault, each with its field
├── NotFound           not there, or not yours
├── Conflict           taken, in use, or exists already
├── Forbidden          a role or a plan's limit does not allow it
├── Unauthenticated    who you are is not proved
├── Stale              what it was based on has changed since
├── Temporary          worth another try later
│   ├── Unreachable    the host or provider does not answer
│   │   └── CredentialsRefused  it answers, and does not let us in
│   ├── RateLimited    it wants to be left alone for a while
│   ├── Unknown        a run ended without its final word: look again
│   └── Superseded     another worker holds the target now
└── Unreadable         a source that could not be read: not an empty source
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one field (dotted path; empty for the whole)."""

    field: str
    message: str


class GhostError(Exception):
    """The root: `code` is for machines, the message says what to do."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None, **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.details = details


class Invalid(GhostError):  # noqa: N818 - the trade's words, not suffixes
    code = "invalid"

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{f.field}: {f.message}" if f.field else f.message for f in faults))
        self.faults = tuple(faults)


class NotFound(GhostError):  # noqa: N818
    code = "not_found"


class Conflict(GhostError):  # noqa: N818
    code = "conflict"


class Forbidden(GhostError):  # noqa: N818
    code = "forbidden"


class Unauthenticated(GhostError):  # noqa: N818
    code = "unauthenticated"


class Stale(GhostError):  # noqa: N818
    code = "stale"


class Temporary(GhostError):  # noqa: N818
    code = "temporary"


class Unreachable(Temporary):
    code = "unreachable"


class CredentialsRefused(Unreachable):
    code = "credentials_refused"


class RateLimited(Temporary):
    code = "rate_limited"


class Unknown(Temporary):
    code = "unknown"


class Superseded(Temporary):
    code = "superseded"


class Unreadable(GhostError):  # noqa: N818
    code = "unreadable"
