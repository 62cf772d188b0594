"""Whether the API is alive."""

from importlib.metadata import PackageNotFoundError, version

from sqlalchemy import Connection

from api.access import Access
from api.door import Call, Reply, Route
from api.openapi import answer

_SERVICE = "ghostcp-api"


def _version() -> str:
    try:
        return version("ghostcp")
    except PackageNotFoundError:
        return "0.1.0"


VERSION = _version()


def _health(_: Call, __: Connection) -> Reply:
    return Reply(content={"status": "healthy", "service": _SERVICE, "version": VERSION})


ROUTE = Route(
    "GET",
    "/health",
    "Whether the service is alive",
    reads=_health,
    access=Access.PUBLIC,
    docs={"security": [], "tags": ["health"]} | answer(200, "It is"),
)
