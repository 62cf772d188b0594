"""One request and its answer, as every route sees them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event
from typing import Any

from fastapi import Request
from sqlalchemy import Connection
from starlette.responses import Response

from api import body
from api.auth import Principal, authenticate
from api.glance import Glance
from api.rates import Rates
from api.tailer import Tailer
from api.visit import visit_of
from api.writes import Written
from state.database import Database
from state.settings import Settings


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class House:
    """What every door opens to. Once `stopping` is set, answers that are held or stream come to their end.

    `clock` tells the time that tokens, codes and pauses go by.
    """

    database: Database
    settings: Settings
    rates: Rates
    tailer: Tailer
    stopping: Event = field(default_factory=Event)
    clock: Callable[[], datetime] = now
    glance: Glance = field(default_factory=Glance)


@dataclass(frozen=True, slots=True)
class Deed:
    """What a request did to one object, for the audit; `before` and `after` are views with nothing secret."""

    object_type: str
    object_id: str
    name: str = ""
    owner: str = ""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request, of somebody known (or of nobody, where the door is public).

    `action` is the route's method and path; `deeds` is what was done, noted by who does it, as are the hosts to be
    `woken`.
    """

    house: House
    request: Request
    principal: Principal
    action: str = ""
    content: bytes = b""
    deeds: list[Deed] = field(default_factory=list)
    woken: set[str] = field(default_factory=set)

    def json(self) -> Any:
        """The body's JSON value; none for no body."""
        return body.parse(self.request, self.content)

    def object(self) -> body.Object:
        """The body as a JSON object."""
        return body.as_object(self.json())

    def argument(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])

    def wake(self, target: str) -> None:
        """Has the workers of a host told, once all is stored, that there is something to do."""
        self.woken.add(target)

    def did(self, *deeds: Deed) -> None:
        """Notes what was done."""
        self.deeds.extend(deeds)

    @property
    def address(self) -> str:
        """Where the request came from, as far as we believe it."""
        return visit_of(self.request).address

    def proved(self, connection: Connection) -> Principal:
        """Who asks, as it is known now. Raises Unauthenticated."""
        house, authorization = self.house, self.request.headers.get("authorization", "")
        return authenticate(connection, house.settings.var, authorization, self.address, house.clock())


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `written` are the documents that were written for it, `besides` what a plan of it tells as well, and
    `guard` the verdict on what it deletes, if it may delete much: a refused one is done only as a dry run.

    With `later` it is held for at most `seconds` until that gives another one.
    """

    status: int = 200
    content: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    written: Sequence[Written] = ()
    later: Callable[[], "Reply | None"] | None = None
    seconds: float = 0
    response: Response | None = None
    besides: Mapping[str, Any] = field(default_factory=dict)
    guard: Mapping[str, Any] | None = None
