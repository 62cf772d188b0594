"""Fan-out: what happened becomes deliveries to those webhooks whose owners may know of it, once each, in order."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, insert, or_, select

from state.cursors import FANNED_OUT, move, position
from state.errors import Superseded
from state.journal.deliveries import new_delivery
from state.journal.event import DISABLED, circle, circles, message
from state.journal.events import events_after, last_number
from state.journal.tables import deliveries, webhooks
from state.journal.webhooks import told_as
from state.stored_json import sound
from state.tables import documents

BATCH = 500
_ROLE = sound(documents.c.spec)["role"].as_string()
_INSERT = insert(deliveries)


def behind(connection: Connection) -> bool:
    """Whether there are events that were not fanned out yet."""
    return last_number(connection) > position(connection, FANNED_OUT)


def in_order() -> ColumnElement[bool]:
    """The documents of users who may act: to others nothing is told."""
    active, suspended = (sound(documents.c.spec)[name].as_boolean() for name in ("is_active", "is_suspended"))
    return and_(documents.c.kind == "User", documents.c.deleted_at.is_(None), active, ~suspended)


def fan_out(connection: Connection) -> int:
    """Makes deliveries of the next events, and moves the cursor past them; how many events there were.

    Raises Superseded when somebody else has moved it meanwhile.
    """
    last = position(connection, FANNED_OUT)
    told = events_after(connection, last, BATCH)
    if not told:
        return 0
    hooks = _listening(connection, {name for each in told for name in (each.owner, each.manager)})
    now = datetime.now(UTC)
    rows = [row for each in told for row in _deliveries(each, hooks, now)]
    if rows:
        connection.execute(_INSERT, rows)
    if not move(connection, FANNED_OUT, last, told[-1].id):
        raise Superseded("another worker has fanned these events out")
    return len(told)


def _listening(connection: Connection, names: Iterable[str]) -> Sequence[Any]:
    """The active webhooks of these users, and those of administrators."""
    query = (
        select(webhooks.c.id, webhooks.c.events, webhooks.c.since, documents.c.name, _ROLE.label("role"))
        .join_from(webhooks, documents, webhooks.c.uid == documents.c.uid)
        .where(webhooks.c.is_active, in_order(), or_(documents.c.name.in_(list(names)), _ROLE == "admin"))
    )
    return connection.execute(query).all()


def _deliveries(event: Any, hooks: Sequence[Any], now: datetime) -> list[Mapping[str, Any]]:
    bodies: dict[str, str] = {}
    known = circles(event.owner, event.manager)
    found = []
    for hook in hooks:
        name = told_as(hook.events, event.event)
        if not name or event.id <= hook.since or circle(hook.role, hook.name) not in known:
            continue
        if event.event == DISABLED and event.data.get("id") == hook.id:
            continue
        body = bodies.get(name) or bodies.setdefault(name, message(name, event.data, event.at))
        found.append(new_delivery(hook.id, event.id, event.event, body, now))
    return found
