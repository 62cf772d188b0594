"""The managed hosts: what they have and what was last seen of them; for administrators."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from api.access import Access
from api.door import Call, Reply, Route
from api.openapi import answer, list_parameters
from api.views import host_view, page_view
from state.listing import Field, Listing, fetch, read
from state.tables import documents, targets
from state.targets import get_target, target_from_row

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
)


def _list(call: Call, connection: Connection) -> Reply:
    wanted = read(LISTING, call.request.query_params.multi_items())
    page = fetch(connection, select(targets), targets, wanted)
    counts = _counts(connection, [row.name for row in page.rows])
    return Reply(content=page_view("hosts", [_view(row, counts) for row in page.rows], page))


def _get(call: Call, connection: Connection) -> Reply:
    target = get_target(connection, call.argument("name"))
    return Reply(content=host_view(target, _counts(connection, [target.name]).get(target.name, 0)))


def _view(row: Row[Any], counts: dict[str, int]) -> dict[str, Any]:
    return host_view(target_from_row(row._mapping), counts.get(row.name, 0))  # noqa: SLF001 - SQLAlchemy's public name


def _counts(connection: Connection, names: list[str]) -> dict[str, int]:
    """How many living documents each host has."""
    alive = documents.c.deleted_at.is_(None)
    query = select(documents.c.target, func.count()).where(documents.c.target.in_(names), alive)
    return {name: n for name, n in connection.execute(query.group_by(documents.c.target))}  # noqa: C416 - rows


_TAG = {"tags": ["hosts"]}
_NAME = {"parameters": [{"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}]}
ROUTES = (
    Route(
        "GET",
        "/hosts",
        "List the managed hosts",
        reads=_list,
        access=Access.ADMIN,
        docs={**_TAG, "parameters": list_parameters(LISTING), **answer(200, "A page of hosts")},
    ),
    Route(
        "GET",
        "/hosts/{name}",
        "Get a managed host",
        reads=_get,
        access=Access.ADMIN,
        docs=_TAG | _NAME | answer(200, "The host"),
    ),
)
