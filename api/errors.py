"""The one table from what went wrong to what HTTP says about it.

GhostError (state.errors)
├── Malformed          the body is not JSON
├── UnsupportedMedia   the body is not declared as JSON
├── NotAcceptable      there is no such form of what was asked for
├── TooLarge           the body is larger than the door takes
├── TooMany            too many attempts
├── Disconnected       who asked did not wait for the answer
├── NoTransfer         the server of a zone did not hand it over
├── NotReady           something is wrong with the whole
└── NoWorker           nobody answered a dry run
"""

from collections.abc import Mapping
from traceback import format_exception
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from api.metrics import DATABASE_ERRORS
from state.errors import (
    Conflict,
    Forbidden,
    GhostError,
    Invalid,
    NotFound,
    Stale,
    Temporary,
    Unauthenticated,
)
from state.jobs import redact
from state.tracing import current_request

_log = structlog.get_logger()


class Malformed(GhostError):  # noqa: N818 - the trade's words, not suffixes
    code = "malformed"


class UnsupportedMedia(GhostError):  # noqa: N818
    code = "unsupported_media_type"


class NotAcceptable(GhostError):  # noqa: N818
    code = "not_acceptable"


class TooLarge(GhostError):  # noqa: N818
    code = "too_large"


class TooMany(GhostError):  # noqa: N818
    code = "too_many_requests"


class Disconnected(GhostError):  # noqa: N818
    code = "disconnected"


class NoTransfer(GhostError):  # noqa: N818
    code = "no_transfer"


class NotReady(GhostError):  # noqa: N818
    code = "not_ready"


class NoWorker(GhostError):  # noqa: N818
    code = "no_worker"


STATUS: Mapping[type[GhostError], int] = {
    Malformed: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    NotAcceptable: 406,
    Conflict: 409,
    Stale: 412,
    TooLarge: 413,
    UnsupportedMedia: 415,
    Invalid: 422,
    TooMany: 429,
    Disconnected: 499,
    NoTransfer: 502,
    NotReady: 503,
    Temporary: 503,
    NoWorker: 504,
    GhostError: 500,
}
MOST_FAULTS = 100
_FRAMEWORK = {404: "not_found", 405: "method_not_allowed"}


def problem(error: Exception) -> JSONResponse:
    """The answer to an error; of a fault of ours it says nothing but that there is one."""
    translated = _translated(error)
    status = next(STATUS[each] for each in type(translated).__mro__ if each in STATUS)
    if status == 500:
        _log.error("a request failed", traceback=_told(error))
        return body(500, "An error on our side; it was logged", {"code": "internal"})
    details: dict[str, Any] = {"code": translated.code, **translated.details}
    if isinstance(translated, Invalid):
        told = translated.faults[:MOST_FAULTS]
        details["errors"] = [{"field": f.field, "message": f.message} for f in told]
        if len(told) < len(translated.faults):
            details["more_errors"] = len(translated.faults) - len(told)
        return body(status, "The request is not valid", details)
    return body(status, translated.message, details, _headers(status, translated))


def body(
    status: int, error: str, details: Mapping[str, Any], headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """An error body as the specification has it."""
    request_id = current_request()
    told = {**details, "request_id": request_id} if request_id else dict(details)
    content = {"error": error, "status": status, "details": told}
    return JSONResponse(content, status, dict(headers or {}))


def install(app: FastAPI) -> None:
    """Makes the framework's own errors look like ours."""

    async def of_framework(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        code = _FRAMEWORK.get(error.status_code, "http_error")
        headers = {"Allow": _allowed(request)} if error.status_code == 405 else error.headers
        return body(error.status_code, str(error.detail), {"code": code}, headers)

    app.add_exception_handler(HTTPException, of_framework)


def _allowed(request: Request) -> str:
    """The methods of every door at this path (RFC 9110, section 10.2.1); the framework tells those of one."""
    here = [each for each in request.app.routes if each.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for each in here for method in getattr(each, "methods", ())}))


def _translated(error: Exception) -> GhostError:
    if isinstance(error, GhostError):
        return error
    if isinstance(error, ClientDisconnect):
        return Disconnected("the request was not sent to its end")
    if isinstance(error, IntegrityError):
        return Conflict("something else was written at the same moment: try again", code="conflict")
    if isinstance(error, OperationalError | PoolTimeout):
        DATABASE_ERRORS.inc()
        _log.warning("the database did not serve a request", traceback=_told(error))
        return Temporary("the database is busy: try again", code="busy")
    return GhostError("internal")


def _told(error: Exception) -> str:
    """The traceback without the values of variables, and without what looks like a secret in messages."""
    return redact("".join(format_exception(error)))


def _headers(status: int, error: GhostError) -> dict[str, str]:
    if status == 401:
        return {"WWW-Authenticate": "Bearer"}
    if status in {429, 503}:
        return {"Retry-After": str(error.details.get("retry_after", 5))}
    return {}
