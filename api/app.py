"""The application: every door there is, one after the other."""

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from functools import cache
from threading import Event
from typing import Any

from fastapi import FastAPI, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.routing import APIRoute
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.responses import Response

from api import errors
from api.call import House, now
from api.door import Route, endpoint
from api.envelope import Envelope
from api.openapi.document import openapi_document
from api.rates import Rates
from api.routes import (
    audit,
    auth,
    certificates,
    deliveries,
    docs,
    document_writes,
    documents,
    events,
    health,
    hosts,
    job_log,
    jobs,
    known_addresses,
    metrics,
    objects,
    password,
    plans,
    tokens,
    totp,
    webhooks,
    zone_files,
)
from api.tailer import Tailer
from state.database import Database
from state.settings import Settings

BASE = "/api/v1"
WORDS = ("import",)


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document of every door."""
    return openapi_document(served(), health.VERSION)


_SCOPED: tuple[Route, ...] = (
    *health.ROUTES,
    *auth.ROUTES,
    *password.ROUTES,
    *totp.ROUTES,
    *objects.ROUTES,
    *known_addresses.ROUTES,
    *certificates.ROUTES,
    *zone_files.ROUTES,
    *jobs.ROUTES,
    *job_log.ROUTES,
    *plans.ROUTES,
    *documents.ROUTES,
    *document_writes.ROUTES,
    *hosts.ROUTES,
    *webhooks.ROUTES,
    *deliveries.ROUTES,
    *events.ROUTES,
    *audit.ROUTES,
)
ROUTES = (*_SCOPED, *tokens.token_routes((*_SCOPED, metrics.ROUTE)), docs.document_route(document))
OUTSIDE: tuple[Route, ...] = (*health.ROUTES, metrics.ROUTE, *docs.PAGES)


def served() -> tuple[tuple[str, Route], ...]:
    """Every door with its whole path."""
    return (*((route.path, route) for route in OUTSIDE), *((BASE + route.path, route) for route in ROUTES))


def create_app(
    database: Database,
    settings: Settings,
    stopping: Event | None = None,
    clock: Callable[[], datetime] = now,
) -> FastAPI:
    """The REST API on this database; once `stopping` is set, no answer is held any longer.

    `clock` is what tokens, codes and pauses go by.
    """
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    errors.install(app)
    stopping = stopping or Event()
    house = House(database, settings, Rates(settings), Tailer(database, stopping), stopping, clock)
    if settings.cors_origins:
        app.add_middleware(CORSMiddleware, **_cors(settings.cors_origins))
    app.add_middleware(Envelope, house=house)
    app.router.route_class = _Straight
    for path, route in sorted(served(), key=_seldom):
        app.add_api_route(
            _apart(path),
            endpoint(house, route),
            methods=["GET", "HEAD"] if route.method == "GET" else [route.method],
            response_model=None,
            name=f"{route.method} {path}",
        )
    return app


class _Identifier(StringConvertor):
    """An id in a path: none of the words that a door has in its place."""

    regex = rf"(?!(?:{'|'.join(WORDS)})(?:/|$))[^/]+"


register_url_convertor("identifier", _Identifier())


def _apart(path: str) -> str:
    """The path, so that no request is one for it that is for a door with a word in the place of the id."""
    return path.replace("/dns/{id}", "/dns/{id:identifier}")


class _Straight(APIRoute):
    """A route whose function is given the request as it is, and answers with a response."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return handler


def _seldom(each: tuple[str, Route]) -> bool:
    """The doors to objects are tried first: routes are found one by one, and no two of ours match one request."""
    return each[1] not in objects.ROUTES


def _cors(origins: Sequence[str]) -> dict[str, Any]:
    """What pages of other origins may do: ask with a token of their own, never with what a browser adds."""
    return {
        "allow_origins": origins,
        "allow_methods": ("GET", "POST", "PUT", "PATCH", "DELETE"),
        "allow_headers": ("Authorization", "If-Match", "Idempotency-Key", "Last-Event-ID", "X-Request-ID"),
        "expose_headers": (
            *("ETag", "Location", "Retry-After", "X-Request-ID", "Idempotency-Replayed"),
            *("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"),
        ),
        "allow_credentials": False,
    }
