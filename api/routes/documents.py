"""Documents by kind and name: what one writes into files, and what they were before."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from api.access import signed_in
from api.call import Call, Reply
from api.collection import Collection, Rows, list_route
from api.door import Route
from api.openapi.describe import Answer, Docs
from api.openapi.kinds import TAG
from api.openapi.parameters import path_parameters
from api.openapi.shapes import EXPORTED, REVISION, STORED
from api.views import etag, export_view, stored_view, time
from api.visibility import visible_documents
from api.writes import visible_by_name
from state.document import Document
from state.kinds import KINDS
from state.listing import Field, Listing
from state.reading import from_row
from state.shown import show
from state.tables import documents, revisions


def named_in_path(call: Call, connection: Connection) -> Document:
    """The document that the path names. Raises NotFound."""
    return visible_by_name(connection, call.principal, call.argument("kind"), call.argument("name"))


def _get(call: Call, connection: Connection) -> Reply:
    document = named_in_path(call, connection)
    shown = show(connection, document.uid)
    assert shown is not None
    content = stored_view(shown)
    return Reply(content=content, headers={"ETag": etag(shown.generation, content)})


def _exported(_: Call, __: Connection, rows: Rows) -> list[dict[str, Any]]:
    return [export_view(from_row(row._mapping)) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name


def _earlier(_: Call, __: Connection, rows: Rows) -> list[dict[str, Any]]:
    return [
        {"generation": row.generation, "spec": row.spec, "actor": row.actor, "at": time(row.at)}
        for row in rows
    ]


_PATH = path_parameters("/{kind}/{name}")
DOCUMENTS = Collection(
    "/documents",
    "documents",
    "document",
    "documents",
    select(documents).where(documents.c.deleted_at.is_(None), documents.c.kind.in_(list(KINDS))),
    documents,
    Listing(
        {
            "id": Field(documents.c.uid, UUID),
            "kind": Field(documents.c.kind, str),
            "name": Field(documents.c.name, str),
            "owner": Field(documents.c.owner, str),
            "host": Field(documents.c.target, str),
            "generation": Field(documents.c.generation, int),
            "created_at": Field(documents.c.created_at, datetime),
            "updated_at": Field(documents.c.updated_at, datetime),
        },
        search=("name",),
    ),
    lambda call, _: visible_documents(call.principal),
    _exported,
    EXPORTED,
)
REVISIONS = Collection(
    "/documents/{kind}/{name}/revisions",
    "revisions",
    "revision",
    "documents",
    select(revisions),
    revisions,
    Listing(
        {
            "generation": Field(revisions.c.generation, int),
            "actor": Field(revisions.c.actor, str),
            "at": Field(revisions.c.at, datetime),
        },
        search=("actor",),
        sort="generation",
        tie="generation",
        order="desc",
    ),
    lambda call, connection: revisions.c.uid == named_in_path(call, connection).uid,
    _earlier,
    REVISION,
)
ROUTES = (
    list_route(DOCUMENTS),
    Route(
        "GET",
        "/documents/{kind}/{name}",
        "Get a document",
        signed_in("documents:read"),
        Docs("documents", (Answer(200, "The document.", STORED, headers={"ETag": TAG}),), _PATH),
        reads=_get,
    ),
    list_route(REVISIONS),
)
