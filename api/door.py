"""A door: one way in, the same for every route. Who asks is proved, the body understood, the answer made."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from threading import Event
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api import body, journal
from api.access import Access, Rule, admit, needs_proof
from api.auth import NOBODY, Principal
from api.call import Call, House, Reply
from api.errors import problem
from api.openapi.describe import Docs
from api.options import is_known
from api.rates import Rate
from api.visit import visit_of
from state.access.api_tokens import note_use
from state.errors import GhostError, Unauthenticated
from state.stored_json import finite


@dataclass(frozen=True, slots=True)
class Route:
    """A door: `reads` is given the connection that proved who asks, `writes` opens its own transactions, and `alone`
    goes on without the database, as far as it does; it is awaited.

    Who may come through is said by `rule`, which no route goes without.
    """

    method: str
    path: str
    summary: str
    rule: Rule
    docs: Docs
    reads: Callable[[Call, Connection], Reply] | None = None
    writes: Callable[[Call], Reply] | None = None
    alone: Callable[[Call], Awaitable[Reply]] | None = None
    rate: Rate = Rate.GENERAL
    largest: int = body.MIB

    @property
    def action(self) -> str:
        return f"{self.method} {self.path}"


def endpoint(house: House, route: Route) -> Callable[[Request], Any]:
    """What the framework calls: one hop to a thread for all that blocks, none while an answer is held."""

    async def answer(request: Request) -> Response:
        visit_of(request).door = True
        try:
            content = await _content(house, route, request)
            if route.alone:
                response = _response(await route.alone(await _let_in(house, route, request)))
            else:
                reply = await run_in_threadpool(_handle, house, route, request, content)
                response = _unless_known(request, _response(await _held(reply, house.stopping)))
            return _without_body(response) if request.method == "HEAD" else response
        except Exception as error:
            return problem(error)

    return answer


async def _content(house: House, route: Route, request: Request) -> bytes:
    """The body; a large one is read from those only who have proved who they are."""
    if route.largest <= body.MIB or body.is_small(request):
        return await body.read(request, body.MIB)
    await run_in_threadpool(_know, route, Call(house, request, NOBODY, route.action))
    return await body.read(request, route.largest)


def _know(route: Route, call: Call) -> None:
    """Raises Unauthenticated, which is counted; who is known is counted when the body is there."""
    with call.house.database.asking() as connection:
        _proof(route, call, connection)


def _handle(house: House, route: Route, request: Request, content: bytes) -> Reply:
    if route.rule.access is Access.PUBLIC or route.rate is Rate.AUTHENTICATION:
        house.rates.by_address(visit_of(request), route.rate)
    call = Call(house, request, NOBODY, route.action, content)
    return _read(route, call) if route.reads else _write(route, call)


def _read(route: Route, call: Call) -> Reply:
    assert route.reads is not None
    with call.house.database.reading() as connection:
        call = replace(call, principal=_principal(route, call, connection))
        admit(call.principal, route.rule)
        reply = route.reads(call, connection)
    _note_use(call)
    return reply


def _write(route: Route, call: Call) -> Reply:
    assert route.writes is not None
    with call.house.database.asking() as connection:
        call = replace(call, principal=_principal(route, call, connection))
    _note_use(call)
    try:
        admit(call.principal, route.rule)
        return route.writes(call)
    except GhostError as error:
        journal.refused(call, error)
        raise


async def _let_in(house: House, route: Route, request: Request) -> Call:
    """A call at a door that goes on alone. Nothing is waited for when nobody has to prove anything."""
    visit, call = visit_of(request), Call(house, request, NOBODY, route.action)
    if not needs_proof(route.rule, near=visit.is_from(house.settings.metrics_networks)):
        house.rates.by_address(visit, Rate.PROBES)
        return call
    return await run_in_threadpool(_proved, route, call)


def _proved(route: Route, call: Call) -> Call:
    with call.house.database.asking() as connection:
        call = replace(call, principal=_principal(route, call, connection))
    admit(call.principal, route.rule)
    _note_use(call)
    return call


def _note_use(call: Call) -> None:
    """Notes when and from where an API token was used, if that is not known yet."""
    if call.principal.unnoted:
        with call.house.database.writing() as connection:
            note_use(connection, call.principal.token, call.address[:45], call.house.clock())


def _principal(route: Route, call: Call, connection: Connection) -> Principal:
    if route.rule.access is Access.PUBLIC:
        return NOBODY
    principal, visit = _proof(route, call, connection), visit_of(call.request)
    visit.principal = principal.name
    call.house.rates.by_user(visit, route.rate, principal.uid)
    return principal


def _proof(route: Route, call: Call, connection: Connection) -> Principal:
    try:
        return call.proved(connection)
    except Unauthenticated:
        if (visit := visit_of(call.request)).standing is None:
            call.house.rates.by_address(visit, route.rate)
        raise


async def _held(reply: Reply, stopping: Event) -> Reply:
    """The answer that `later` gives in time, else the one there is."""
    end, pause = time.monotonic() + reply.seconds, 0.02
    while reply.later:
        new = await run_in_threadpool(reply.later)
        if new is not None:
            return new
        if time.monotonic() >= end or stopping.is_set():
            break
        await asyncio.sleep(min(pause, max(0.0, end - time.monotonic())))
        pause = min(pause * 1.5, 0.25)
    return reply


class _Json(JSONResponse):
    """Null is where somebody put a number into the database that is too large to be one."""

    def render(self, content: Any) -> bytes:
        try:
            return super().render(content)
        except ValueError:
            return super().render(finite(content))


def _response(reply: Reply) -> Response:
    if reply.response is not None:
        return reply.response
    headers = dict(reply.headers)
    if reply.content is None:
        return Response(status_code=reply.status, headers=headers)
    return _Json(reply.content, reply.status, headers)


def _without_body(response: Response) -> Response:
    """What a GET would be answered, but for its body (RFC 9110, section 9.3.2); of a stream nothing is begun."""
    head = Response(status_code=response.status_code)
    head.raw_headers = response.raw_headers
    return head


def _unless_known(request: Request, response: Response) -> Response:
    """The answer, or nothing but its tag for who has it already (RFC 9110, section 15.4.5)."""
    if request.method not in {"GET", "HEAD"} or not is_known(request, response.headers.get("etag", "")):
        return response
    kept = {
        name: response.headers[name] for name in ("etag", "vary", "cache-control") if name in response.headers
    }
    return Response(status_code=304, headers=kept)
