"""The audit, for reading: all of it for administrators, what they did themselves for others."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from api.call import Call
from api.collection import Collection, Rows, routes
from api.openapi.shapes import AUDIT
from api.views import audit_view
from api.visibility import visible_audit
from state.journal.tables import audit
from state.listing import Field, Listing

_TEXTS = ("actor", "actor_id", "role", "token", "address", "request_id", "action")
_ABOUT = ("object_type", "object_id", "owner", "result", "digest")
LISTING = Listing(
    {
        "id": Field(audit.c.id, int),
        **{name: Field(audit.c[name], str) for name in (*_TEXTS, *_ABOUT)},
        "at": Field(audit.c.at, datetime),
    },
    search=("object_id", "action"),
    sort="id",
    order="desc",
)


def _views(_: Call, __: Connection, rows: Rows) -> list[dict[str, Any]]:
    return [audit_view(row) for row in rows]


ENTRIES = Collection(
    "/audit",
    "entries",
    "audit entry",
    "audit",
    select(audit),
    audit,
    LISTING,
    lambda call, _: visible_audit(call.principal),
    _views,
    AUDIT,
)
ROUTES = routes(ENTRIES)
