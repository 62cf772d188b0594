"""The application: every door there is, one after the other."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from threading import Event
from typing import Any

from fastapi import FastAPI

from api import contract, errors
from api.call import House, now
from api.door import Route, endpoint
from api.envelope import Envelope
from api.rates import Rates
from api.routes import (
    auth,
    deliveries,
    docs,
    documents,
    events,
    health,
    hosts,
    jobs,
    objects,
    plans,
    tokens,
    totp,
    webhooks,
)
from api.tailer import Tailer
from state.database import Database
from state.settings import Settings

BASE = "/api/v1"


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document of every door."""
    return contract.document(served(), health.VERSION)


_SCOPED: tuple[Route, ...] = (
    health.ROUTE,
    *auth.ROUTES,
    *totp.ROUTES,
    *objects.ROUTES,
    *jobs.ROUTES,
    *plans.ROUTES,
    *documents.ROUTES,
    *hosts.ROUTES,
    *webhooks.ROUTES,
    *deliveries.ROUTES,
    *events.ROUTES,
)
ROUTES = (*_SCOPED, *tokens.token_routes(_SCOPED), docs.document_route(document))
OUTSIDE: tuple[Route, ...] = (health.ROUTE, *docs.PAGES)


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
    app.add_middleware(Envelope, house=house)
    for path, route in served():
        app.add_api_route(
            path,
            endpoint(house, route),
            methods=[route.method],
            response_model=None,
            name=f"{route.method} {path}",
        )
    return app
