"""Webhooks: addresses that are told of what happens to their owner's objects."""

from collections.abc import Mapping
from concurrent.futures import TimeoutError as TooLong
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict
from pydantic import Field as Accepted
from sqlalchemy import Connection, Row, func, select

from api.body import Object
from api.call import Call
from api.collection import Collection, Rows, Writing, routes
from api.fields import OWNERS
from api.openapi.shapes import NEW_WEBHOOK, WEBHOOK
from api.views import webhook_view
from api.visibility import visible_webhooks
from api.writes import visible_document
from state.errors import Fault, Invalid, NotFound
from state.journal import webhooks
from state.journal.event import ALIASES, event_names
from state.journal.receivers import LONGEST_URL, NotPublic, Resolvers, checked, look_up, read_url
from state.journal.signing import key_of, new_secret
from state.journal.tables import webhooks as table
from state.journal.webhooks import Wish
from state.listing import Field, Listing
from state.tables import documents

NAMES = (*event_names(), *ALIASES)
EXAMPLE = {
    "url": "https://your-app.com/webhook",
    "events": ["user.created", "domain.ssl.renewed", "backup.completed"],
    "secret": "webhook-secret-key",
}
_PATIENCE = 2.0
_resolvers = Resolvers(threads=64, share=4)


def _url(value: str) -> str:
    read_url(value)
    return value


def _names(value: tuple[str, ...]) -> tuple[str, ...]:
    unknown = sorted(set(value).difference(NAMES))
    if unknown:
        raise ValueError(f"there is no {', '.join(unknown)}; there are {', '.join(NAMES)}")
    return tuple(dict.fromkeys(value))


def _secret(value: str | None) -> str | None:
    if value:
        key_of(value)
    return value


class WebhookWish(BaseModel):
    """A webhook as one may ask for it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Annotated[str, AfterValidator(_url)] = Accepted(
        max_length=LONGEST_URL,
        description="Where it is: http or https, on an address that is public whenever it is called.",
        json_schema_extra={"pattern": "^https?://"},
    )
    events: Annotated[tuple[str, ...], AfterValidator(_names)] = Accepted(
        min_length=1,
        max_length=2 * len(NAMES),
        description="What it is told of. `domain.ssl.renewed` is another name of `ssl.certificate.renewed`.",
        json_schema_extra={"items": {"type": "string", "enum": list(NAMES)}},
    )
    secret: Annotated[str | None, AfterValidator(_secret)] = Accepted(
        None,
        pattern="^(.{8,256})?$",
        repr=False,
        description="What deliveries are signed with. Generated where there is none; in a change, none keeps the old "
        "one. One that begins with `whsec_` is as Standard Webhooks has it: base64 of 24 to 64 bytes.",
        json_schema_extra={"writeOnly": True},
    )
    is_active: bool = Accepted(True, strict=True, description="Whether it is told of anything.")
    user_id: UUID | None = Accepted(None, description="Whose it is; one's own unless one manages the user.")


_OWNERS = documents.alias("owners")
_QUERY = select(table, _OWNERS.c.name.label("owner")).join_from(table, _OWNERS, table.c.uid == _OWNERS.c.uid)
LISTING = Listing(
    {
        "id": Field(table.c.id, UUID),
        "user_id": Field(table.c.uid, UUID),
        "url": Field(table.c.url, str),
        "is_active": Field(table.c.is_active, bool),
        "disabled_reason": Field(func.nullif(table.c.disabled_reason, ""), str, nullable=True),
        "failing_since": Field(table.c.failing_since, datetime, nullable=True),
        "created_at": Field(table.c.created_at, datetime),
        "updated_at": Field(table.c.updated_at, datetime),
    },
    search=("url",),
)


def _current(row: Row[Any]) -> Mapping[str, Any]:
    return {"url": row.url, "events": row.events, "is_active": row.is_active, "user_id": row.uid}


def _check(call: Call, body: Object) -> None:
    """Refuses a name that leads, just now, to where nothing may be sent; deliveries look again."""
    url = body.get("url")
    if not isinstance(url, str):
        return
    with suppress(ValueError, OSError, TooLong):
        asked = _resolvers.ask(look_up, read_url(url).raw_host.decode(), call.principal.uid)
        if asked is None:
            return
        try:
            checked(asked.result(_PATIENCE), call.house.settings.webhook_networks)
        except NotPublic as error:
            raise Invalid([Fault("url", error.message)]) from None


def _create(call: Call, connection: Connection, asked_for: WebhookWish) -> tuple[str, Mapping[str, Any]]:
    owner, secret = _owner(call, connection, asked_for.user_id), asked_for.secret or new_secret()
    made = webhooks.add(connection, call.house.settings.var, owner, _wish(asked_for, secret))
    return made, {} if asked_for.secret else {"secret": secret}


def _owner(call: Call, connection: Connection, user_id: UUID | None) -> str:
    """Whom it is made for. Raises Invalid when the caller does not know of that user."""
    if user_id is None:
        return call.principal.uid
    try:
        return visible_document(connection, call.principal, OWNERS, str(user_id)).uid
    except NotFound:
        raise Invalid([Fault("user_id", "there is no such user")]) from None


def _change(call: Call, connection: Connection, row: Row[Any], asked_for: WebhookWish) -> None:
    if asked_for.user_id is not None and str(asked_for.user_id) != row.uid:
        raise Invalid([Fault("user_id", "cannot be changed after creation")])
    webhooks.alter(connection, call.house.settings.var, row.id, _wish(asked_for, asked_for.secret or ""))


def _wish(asked_for: WebhookWish, secret: str) -> Wish:
    return Wish(asked_for.url, asked_for.events, asked_for.is_active, secret)


def _remove(_: Call, connection: Connection, row: Row[Any]) -> None:
    webhooks.remove(connection, row.id)


def _views(_: Call, __: Connection, rows: Rows) -> list[dict[str, Any]]:
    return [webhook_view(row) for row in rows]


WEBHOOKS = Collection(
    "/webhooks",
    "webhooks",
    "webhook",
    "webhooks",
    _QUERY,
    table,
    LISTING,
    lambda call, _: visible_webhooks(call.principal),
    _views,
    WEBHOOK,
    writing=Writing(
        WebhookWish,
        _current,
        _create,
        _change,
        _remove,
        EXAMPLE,
        once=NEW_WEBHOOK,
        check=_check,
        fixed=("user_id",),
    ),
    whose=lambda row: str(row.owner),
)
ROUTES = routes(WEBHOOKS)
