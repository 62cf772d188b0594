"""What every request comes in and every answer leaves in: an id, a place, headers, and a line in the log."""

from time import perf_counter

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars, reset_contextvars

from api.errors import problem
from api.headers import Headers, added
from api.visit import Visit, enter
from state.settings import Settings

UNKNOWN = "unknown"
_log = structlog.get_logger("access")


class Envelope:
    """ASGI middleware around everything else, so that no answer goes without it."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._trusted = app, settings.trusted_proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = enter(scope, self._trusted)
        tokens = bind_contextvars(request_id=visit.request_id)

        async def seal(message: Message) -> None:
            if message["type"] == "http.response.start":
                visit.status = message["status"]
                message["headers"] = [*message["headers"], *_headers(visit, message["headers"])]
            await send(message)

        try:
            await self._app(scope, receive, seal)
        except Exception as error:
            if visit.status:
                raise
            await problem(error)(scope, receive, seal)
        finally:
            _tell(scope, visit)
            reset_contextvars(**tokens)


def _headers(visit: Visit, given: Headers) -> Headers:
    ours = added(given, secure=visit.secure, private=visit.door)
    return [(b"x-request-id", visit.request_id.encode()), *ours]


def _tell(scope: Scope, visit: Visit) -> None:
    """One line for each request: neither a header nor a value that may be secret."""
    _log.info(
        "request",
        method=scope["method"],
        route=route_of(scope),
        status=visit.status,
        ms=round((perf_counter() - visit.began) * 1000, 1),
        principal=visit.principal,
        address=visit.address,
    )


def route_of(scope: Scope) -> str:
    """The template of the path, of which there are few, whatever one asks for."""
    return str(getattr(scope.get("route"), "path", UNKNOWN))
