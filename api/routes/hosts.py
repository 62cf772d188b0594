"""The managed hosts: what they have and what was last seen of them; for administrators."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, true

from api.access import Access
from api.call import Call
from api.collection import Collection, Rows, routes
from api.shapes import HOST
from api.views import host_view
from state.listing import Field, Listing
from state.tables import documents, targets
from state.targets import target_from_row

LISTING = Listing(
    {
        "id": Field(targets.c.name, str),
        "name": Field(targets.c.name, str),
        "address": Field(targets.c.address, str),
        "listed": Field(targets.c.listed, bool),
        "reachable": Field(targets.c.reachable, bool),
        "message": Field(targets.c.message, str),
        "drifted": Field(targets.c.drifted, int),
        "observed_at": Field(targets.c.observed_at, datetime, nullable=True),
    },
    search=("name", "address"),
    sort="name",
    order="asc",
)


def _views(_: Call, connection: Connection, rows: Rows) -> list[dict[str, Any]]:
    counts = _counts(connection, [row.name for row in rows])
    return [_view(row, counts) for row in rows]


def _view(row: Row[Any], counts: dict[str, int]) -> dict[str, Any]:
    return host_view(target_from_row(row._mapping), counts.get(row.name, 0))  # noqa: SLF001 - SQLAlchemy's public name


def _counts(connection: Connection, names: list[str]) -> dict[str, int]:
    """How many living documents each host has."""
    alive = documents.c.deleted_at.is_(None)
    query = select(documents.c.target, func.count()).where(documents.c.target.in_(names), alive)
    return {name: n for name, n in connection.execute(query.group_by(documents.c.target))}  # noqa: C416 - rows


HOSTS = Collection(
    "/hosts",
    "hosts",
    "host",
    "hosts",
    select(targets),
    targets,
    LISTING,
    lambda _, __: true(),
    _views,
    HOST,
    access=Access.ADMIN,
)
ROUTES = routes(HOSTS)
