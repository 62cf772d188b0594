"""What is known of a request while it passes through: noted by whoever finds it out, told when the answer leaves."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import perf_counter
from uuid import uuid4

from starlette.requests import Request
from starlette.types import Scope

from api.address import Network, believed, normal, within

_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_RELAYED = frozenset({b"x-forwarded-for", b"forwarded", b"x-real-ip", b"via"})
_KEY = "ghostcp.visit"


@dataclass(frozen=True, slots=True)
class Standing:
    """How many requests of its class one may make in a minute, how many are left, and when (epoch seconds) there are
    more."""

    limit: int
    remaining: int
    reset: int


@dataclass(slots=True)
class Visit:
    """One request, `began` on the performance counter; its answer began after so many `seconds`.

    `address` is where it came from, `hearsay` when somebody relayed it whom we do not know; `secure`: over TLS.
    `principal` is the name of who proved to ask, `door` whether it came to one, `standing` what was left when it was
    counted.
    """

    request_id: str
    address: str
    hearsay: bool
    secure: bool
    principal: str = ""
    door: bool = False
    standing: Standing | None = None
    status: int = 0
    seconds: float = 0.0
    began: float = field(default_factory=perf_counter)

    def is_from(self, networks: Sequence[Network]) -> bool:
        """Whether it surely came from one of the networks: not if a proxy that we do not know relayed it."""
        return not self.hearsay and within(self.address, networks)


def enter(scope: Scope, trusted: Sequence[Network]) -> Visit:
    """Begins the visit of a request, which has its id from who asks if that is a sane one."""
    wished, scheme, relayed = b"", str(scope.get("scheme", "http")), False
    forwarded: list[str] = []
    proto = ""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            wished = value
        elif name == b"x-forwarded-proto":
            proto = value.decode("latin-1")
        elif name in _RELAYED:
            relayed = True
            if name == b"x-forwarded-for":
                forwarded.append(value.decode("latin-1"))
    client = scope.get("client")
    peer = str(client[0]) if client else ""
    known = within(normal(peer), trusted)
    visit = Visit(
        request_id=wished.decode() if _ID.fullmatch(wished) else uuid4().hex,
        address=believed(peer, forwarded, trusted),
        hearsay=relayed and not known,
        secure="https" in {scheme, proto.rpartition(",")[2].strip() if known else ""},
    )
    scope[_KEY] = visit
    return visit


def visit_of(request: Request) -> Visit:
    """The visit that a request is."""
    found: Visit = request.scope[_KEY]
    return found
