"""Deliveries: what was told to a webhook and how that went, once more if one likes, and a ping."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, select

from api.access import signed_in
from api.call import Call, Deed, Reply
from api.collection import Collection, Rows, routes
from api.door import Route
from api.openapi.describe import Answer, Docs
from api.openapi.parameters import path_parameters, write_parameters
from api.openapi.shapes import DELIVERY
from api.performing import perform
from api.routes.webhooks import WEBHOOKS
from api.views import delivery_view
from state.errors import Conflict
from state.journal.deliveries import deliver_again, ping
from state.journal.event import PING
from state.journal.tables import deliveries
from state.listing import Field, Listing

LISTING = Listing(
    {
        "id": Field(deliveries.c.id, UUID),
        "webhook_id": Field(deliveries.c.webhook, UUID),
        "event": Field(deliveries.c.event, str),
        "status": Field(deliveries.c.status, str),
        "attempts": Field(deliveries.c.attempts, int),
        "next_attempt_at": Field(deliveries.c.next_at, datetime, nullable=True),
        "response_status": Field(deliveries.c.answer_status, int, nullable=True),
        "message": Field(deliveries.c.message, str),
        "created_at": Field(deliveries.c.created_at, datetime),
        "completed_at": Field(deliveries.c.completed_at, datetime, nullable=True),
    },
    search=("event", "message"),
    order="desc",
)


def _of_webhook(call: Call, connection: Connection) -> ColumnElement[bool]:
    """Those of the webhook in the path. Raises NotFound when the caller does not know of that."""
    hook = WEBHOOKS.find(call, connection, call.argument("webhook_id"))
    return deliveries.c.webhook == str(hook.id)


def _views(_: Call, __: Connection, rows: Rows) -> list[dict[str, Any]]:
    return [delivery_view(row) for row in rows]


DELIVERIES = Collection(
    "/webhooks/{webhook_id}/deliveries",
    "deliveries",
    "delivery",
    "webhooks",
    select(deliveries),
    deliveries,
    LISTING,
    _of_webhook,
    _views,
    DELIVERY,
)


def _again(call: Call) -> Reply:
    def work(connection: Connection) -> Reply:
        hook = _active(WEBHOOKS.find(call, connection, call.argument("webhook_id")))
        row = DELIVERIES.find(call, connection, call.argument("id"))
        deliver_again(connection, row.id)
        return _told(call, connection, hook, row.id, {"status": row.status})

    return perform(call, work)


def _ping(call: Call) -> Reply:
    def work(connection: Connection) -> Reply:
        hook = _active(WEBHOOKS.find(call, connection, call.argument("id")))
        return _told(call, connection, hook, ping(connection, hook.id), None)

    return perform(call, work)


def _told(
    call: Call, connection: Connection, hook: Row[Any], delivery: str, before: dict[str, Any] | None
) -> Reply:
    row = connection.execute(DELIVERIES.query.where(deliveries.c.id == delivery)).one()
    view = delivery_view(row)
    after = {"event": view["event"], "status": view["status"], "webhook_id": hook.id}
    call.did(Deed(DELIVERIES.noun, delivery, owner=hook.owner, before=before, after=after))
    place = f"/api/v1/webhooks/{hook.id}/deliveries/{delivery}"
    return Reply(200 if before else 201, view, {} if before else {"Location": place})


def _active(hook: Row[Any]) -> Row[Any]:
    """The webhook, if anything is sent to it. Raises Conflict."""
    if not hook.is_active:
        raise Conflict("the webhook is not active: set is_active first", code="webhook_inactive")
    return hook


_PING, _AGAIN = "/webhooks/{id}/ping", f"{DELIVERIES.path}/{{id}}/redeliver"
ROUTES = (
    *routes(DELIVERIES),
    Route(
        "POST",
        _AGAIN,
        "Deliver once more",
        signed_in("webhooks:write"),
        Docs(
            DELIVERIES.key,
            (Answer(200, "The delivery, which is due again, with its old id.", DELIVERY),),
            (*path_parameters(_AGAIN), *write_parameters(creating=True)),
            operation_id="redeliver",
        ),
        writes=_again,
    ),
    Route(
        "POST",
        _PING,
        "Send a ping",
        signed_in("webhooks:write"),
        Docs(
            DELIVERIES.key,
            (
                Answer(
                    201,
                    f"The delivery of `{PING}`, which goes before all that waits, and is tried once.",
                    DELIVERY,
                ),
            ),
            (*path_parameters(_PING), *write_parameters(creating=True)),
            operation_id="pingWebhook",
        ),
        writes=_ping,
    ),
)
