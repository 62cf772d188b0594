"""What every request comes in and every answer leaves in: an id, a place, headers, and a line in the log."""

from time import perf_counter

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars

from api.call import House
from api.errors import TooMany, problem
from api.headers import Headers, added
from api.metrics import IN_FLIGHT, answered
from api.rates import Rates
from api.visit import Visit, enter

UNKNOWN = "unknown"
_log = structlog.get_logger("access")


class Envelope:
    """ASGI middleware around everything else, so that no answer goes without it."""

    def __init__(self, app: ASGIApp, house: House) -> None:
        self._app, self._rates, self._trusted = app, house.rates, house.settings.trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = enter(scope, self._trusted)
        tokens = bind_contextvars(request_id=visit.request_id)
        IN_FLIGHT.inc()
        leave = _Leaving(self._rates, visit, scope, receive, send)
        try:
            await self._app(scope, receive, leave)
        except Exception as error:
            if visit.status:
                raise
            await problem(error)(scope, receive, leave)
        finally:
            IN_FLIGHT.dec()
            _tell(scope, visit)
            reset_contextvars(**tokens)


class _Leaving:
    """Where an answer leaves: if no door has counted its request it is counted here, and refused if it is too many."""

    def __init__(self, rates: Rates, visit: Visit, scope: Scope, receive: Receive, send: Send) -> None:
        self._rates, self._visit, self._scope, self._receive, self._send = rates, visit, scope, receive, send
        self._refused = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            refusal = None if self._visit.standing else await self._count()
            if refusal is not None:
                self._refused = True
                refusal.raw_headers += [each for each in message["headers"] if _of_cors(each[0])]
                await refusal(self._scope, self._receive, self._seal)
                return
        if not self._refused:
            await self._seal(message)

    async def _count(self) -> Response | None:
        try:
            if self._rates.blocking:
                await run_in_threadpool(self._rates.by_address, self._visit)
            else:
                self._rates.by_address(self._visit)
        except TooMany as error:
            return problem(error)
        return None

    async def _seal(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._visit.status = message["status"]
            self._visit.seconds = perf_counter() - self._visit.began
            message["headers"] = [*message["headers"], *_headers(self._visit, message["headers"])]
        await self._send(message)


def _of_cors(name: bytes) -> bool:
    return name == b"vary" or name.startswith(b"access-control-")


def _headers(visit: Visit, given: Headers) -> Headers:
    ours = [(b"x-request-id", visit.request_id.encode())]
    if visit.standing:
        ours += [
            (b"x-ratelimit-limit", b"%d" % visit.standing.limit),
            (b"x-ratelimit-remaining", b"%d" % visit.standing.remaining),
            (b"x-ratelimit-reset", b"%d" % visit.standing.reset),
        ]
    return ours + added(given, secure=visit.secure, private=visit.door)


def _tell(scope: Scope, visit: Visit) -> None:
    """One line for each request, with neither a header nor a value that may be secret; and what is counted of it."""
    method, route = scope["method"], route_of(scope)
    answered(method, route, visit.status, visit.seconds)
    _log.info(
        "request",
        method=method,
        route=route,
        status=visit.status,
        ms=round((perf_counter() - visit.began) * 1000, 1),
        principal=visit.principal,
        address=visit.address,
    )


def route_of(scope: Scope) -> str:
    """The template of the path, of which there are few, whatever one asks for."""
    return str(getattr(scope.get("route"), "path_format", UNKNOWN))
