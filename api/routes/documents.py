"""Documents by kind and name: what one writes into files, and what they were before."""

from typing import Any

from sqlalchemy import Connection, select

from api.access import signed_in, visible, visible_documents
from api.call import Call, Reply
from api.describe import Answer, Docs, Parameter
from api.door import Route
from api.kind_docs import TAG
from api.openapi import page_schema, path_parameters
from api.schemas import listed, one_of
from api.shapes import EXPORTED, REVISION, STORED
from api.views import etag, export_view, time
from state.document import Document
from state.errors import Fault, Invalid, NotFound
from state.kinds import KINDS
from state.reading import from_row
from state.tables import documents, revisions


def _export(call: Call, connection: Connection) -> Reply:
    wanted = call.request.query_params.getlist("kind")
    strange = [name for name in call.request.query_params if name != "kind"]
    faults = [Fault(name, "is no parameter of this request") for name in strange]
    faults += [Fault("kind", f"there is no kind {name!r}") for name in wanted if name not in KINDS]
    if faults:
        raise Invalid(faults)
    query = select(documents).where(documents.c.deleted_at.is_(None), visible_documents(call.principal))
    if wanted:
        query = query.where(documents.c.kind.in_(wanted))
    found = [from_row(row) for row in connection.execute(query.order_by(documents.c.name)).mappings()]
    ordered = sorted(found, key=lambda each: (KINDS[each.kind].rank, each.owner, each.name))
    views = [export_view(each) for each in ordered]
    numbers = {"total": len(views), "page": 1, "limit": len(views), "pages": 1}
    return Reply(content={"documents": views, **numbers})


def _get(call: Call, connection: Connection) -> Reply:
    document = _visible(call, connection)
    known = {"uid": document.uid, "generation": document.generation}
    content = export_view(document)
    return Reply(
        content=content | {"metadata": content["metadata"] | known},
        headers={"ETag": etag(document.generation)},
    )


def _revisions(call: Call, connection: Connection) -> Reply:
    document = _visible(call, connection)
    query = select(revisions).where(revisions.c.uid == document.uid).order_by(revisions.c.generation.desc())
    views: list[dict[str, Any]] = [
        {"generation": row.generation, "spec": row.spec, "actor": row.actor, "at": time(row.at)}
        for row in connection.execute(query)
    ]
    numbers = {"total": len(views), "page": 1, "limit": len(views), "pages": 1}
    return Reply(content={"revisions": views, **numbers})


def _visible(call: Call, connection: Connection) -> Document:
    kind, name = KINDS.get(call.argument("kind")), call.argument("name")
    if kind is not None and "\0" not in name:
        query = select(documents).where(documents.c.kind == kind.name, documents.c.name == name)
        alive = query.where(documents.c.deleted_at.is_(None), visible(call.principal, kind))
        row = connection.execute(alive).mappings().one_or_none()
        if row is not None:
            return from_row(row)
    raise NotFound("Resource not found", resource="document", id=f"{call.argument('kind')}/{name}")


_PATH = path_parameters("/{kind}/{name}")
_KIND = Parameter(
    "kind", listed(one_of(*KINDS)), "Only documents of these kinds; may be given several times."
)
ROUTES = (
    Route(
        "GET",
        "/documents",
        "Export documents",
        signed_in("documents:read"),
        Docs("documents", (Answer(200, "All of one's own.", page_schema("documents", EXPORTED)),), (_KIND,)),
        reads=_export,
    ),
    Route(
        "GET",
        "/documents/{kind}/{name}",
        "Get a document",
        signed_in("documents:read"),
        Docs("documents", (Answer(200, "The document.", STORED, headers={"ETag": TAG}),), _PATH),
        reads=_get,
    ),
    Route(
        "GET",
        "/documents/{kind}/{name}/revisions",
        "What a document was before",
        signed_in("documents:read"),
        Docs(
            "documents",
            (Answer(200, "All there are, newest first.", page_schema("revisions", REVISION)),),
            _PATH,
        ),
        reads=_revisions,
    ),
)
