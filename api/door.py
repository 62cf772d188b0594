"""A door: one way in, the same for every route. Who asks is proved, the body understood, the answer made."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api import body
from api.access import Access, admit
from api.auth import NOBODY, Principal, Throttle, authenticate
from api.errors import problem
from state.database import Database
from state.settings import Settings


@dataclass(frozen=True, slots=True)
class House:
    """What every door opens to."""

    database: Database
    settings: Settings
    throttle: Throttle


@dataclass(frozen=True, slots=True)
class Call:
    """One request, of somebody known (or of nobody, where the door is public)."""

    house: House
    request: Request
    principal: Principal
    content: bytes = b""

    def json(self) -> Any:
        """The body's JSON value; none for no body."""
        return body.parse(self.request, self.content)

    def object(self) -> body.Object:
        """The body as a JSON object."""
        return body.as_object(self.json())

    def argument(self, name: str) -> str:
        """A part of the path."""
        return str(self.request.path_params[name])


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; with `later` it is held for at most `seconds` until that gives another one."""

    status: int = 200
    content: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    later: Callable[[], "Reply | None"] | None = None
    seconds: float = 0
    response: Response | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """A door: `reads` is given the connection that proved who asks, `writes` opens its own transactions.

    `docs` goes into the OpenAPI document as it is.
    """

    method: str
    path: str
    summary: str
    reads: Callable[[Call, Connection], Reply] | None = None
    writes: Callable[[Call], Reply] | None = None
    access: Access = Access.SIGNED_IN
    largest: int = body.MIB
    docs: Mapping[str, Any] = field(default_factory=dict)


def endpoint(house: House, route: Route) -> Callable[[Request], Any]:
    """What the framework calls: one hop to a thread for all that blocks, none while an answer is held."""

    async def answer(request: Request) -> Response:
        try:
            content = await body.read(request, route.largest)
            reply = await run_in_threadpool(_handle, house, route, request, content)
            return _response(await _held(reply))
        except Exception as error:
            return problem(error)

    return answer


def _handle(house: House, route: Route, request: Request, content: bytes) -> Reply:
    with house.database.reading() as connection:
        call = Call(house, request, _principal(house, route, request, connection), content)
        if route.reads:
            return route.reads(call, connection)
    assert route.writes is not None
    return route.writes(call)


def _principal(house: House, route: Route, request: Request, connection: Connection) -> Principal:
    if route.access is Access.PUBLIC:
        return NOBODY
    authorization = request.headers.get("authorization", "")
    principal = authenticate(connection, house.settings.var, authorization)
    admit(principal, route.access)
    return principal


async def _held(reply: Reply) -> Reply:
    """The answer that `later` gives in time, else the one there is."""
    end, pause = time.monotonic() + reply.seconds, 0.02
    while reply.later:
        new = await run_in_threadpool(reply.later)
        if new is not None:
            return new
        if time.monotonic() >= end:
            break
        await asyncio.sleep(min(pause, max(0.0, end - time.monotonic())))
        pause = min(pause * 1.5, 0.25)
    return reply


def _response(reply: Reply) -> Response:
    if reply.response is not None:
        return reply.response
    headers = dict(reply.headers)
    if reply.content is None:
        return Response(status_code=reply.status, headers=headers)
    return JSONResponse(reply.content, reply.status, headers)
