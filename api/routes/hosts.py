"""The managed hosts: what they have and what was last seen of them; for administrators."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select, true

from api.access import Access
from api.call import Call
from api.collection import Collection, Rows, routes
from api.openapi.shapes import HOST
from api.views import host_view
from state.listing import Field, Listing
from state.tables import documents, targets
from state.targets import target_from_row

_COUNT = (
    select(func.count())
    .where(documents.c.target == targets.c.name, documents.c.deleted_at.is_(None))
    .correlate(targets)
    .scalar_subquery()
)
LISTING = Listing(
    {
        "id": Field(targets.c.name, str),
        "name": Field(targets.c.name, str),
        "address": Field(targets.c.address, str),
        "listed": Field(targets.c.listed, bool),
        "reachable": Field(targets.c.reachable, bool),
        "message": Field(targets.c.message, str),
        "documents": Field(_COUNT, int),
        "drifted": Field(targets.c.drifted, int),
        "observed_at": Field(targets.c.observed_at, datetime, nullable=True),
    },
    search=("name", "address"),
    sort="name",
    order="asc",
)


def _views(_: Call, __: Connection, rows: Rows) -> list[dict[str, Any]]:
    return [host_view(target_from_row(row._mapping), row.documents) for row in rows]  # noqa: SLF001 - its public name


HOSTS = Collection(
    "/hosts",
    "hosts",
    "host",
    "hosts",
    select(targets, _COUNT.label("documents")),
    targets,
    LISTING,
    lambda _, __: true(),
    _views,
    HOST,
    access=Access.ADMIN,
)
ROUTES = routes(HOSTS)
