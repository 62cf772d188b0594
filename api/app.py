"""The application: every door there is, one after the other."""

from fastapi import FastAPI

from api import errors
from api.access import Access
from api.auth import Throttle
from api.call import House
from api.door import Route, endpoint
from api.envelope import Envelope
from api.openapi import operation
from api.routes import auth, documents, health, hosts, jobs, objects, plans
from state.database import Database
from state.settings import Settings

BASE = "/api/v1"
ROUTES: tuple[Route, ...] = (
    health.ROUTE,
    *auth.ROUTES,
    *objects.ROUTES,
    *jobs.ROUTES,
    *plans.ROUTES,
    *documents.ROUTES,
    *hosts.ROUTES,
)


def create_app(database: Database, settings: Settings) -> FastAPI:
    """The REST API on this database."""
    app = FastAPI(
        title="GhostCP",
        version=health.VERSION,
        openapi_url=f"{BASE}/openapi.json",
        docs_url="/api/docs",
        redoc_url=None,
        redirect_slashes=False,
    )
    errors.install(app)
    app.add_middleware(Envelope, settings=settings)
    house = House(database, settings, Throttle(settings.logins_per_minute))
    _add(app, house, health.ROUTE, "")
    for route in ROUTES:
        _add(app, house, route, BASE)
    return app


def _add(app: FastAPI, house: House, route: Route, base: str) -> None:
    docs = operation(route.docs, public=route.rule.access is Access.PUBLIC)
    app.add_api_route(
        base + route.path,
        endpoint(house, route),
        methods=[route.method],
        response_model=None,
        summary=route.summary,
        name=f"{route.method} {base}{route.path}",
        openapi_extra=docs,
    )
