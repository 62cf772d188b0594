"""Events as they are written: in the transaction that made them happen, in the order of commits."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from state.claims import lock
from state.database import at_end
from state.event import Event
from state.journal_tables import events
from state.tables import documents

_MANAGER = (
    select(documents.c.owner)
    .where(documents.c.kind == "User", documents.c.name == bindparam("of_name"))
    .order_by(documents.c.deleted_at.is_not(None))
    .limit(1)
)
_INSERT = insert(events)


def emit(connection: Connection, *told: Event) -> None:
    """Tells of events when the transaction commits, and only then."""
    pending: list[Event] = at_end(connection, "events", _write, list)
    pending.extend(told)


def _write(connection: Connection, told: Sequence[Event]) -> None:
    """On PostgreSQL others who emit wait from here to the commit: no number appears after a higher one."""
    if not told:
        return
    lock(connection, "events")
    now, managers = datetime.now(UTC), {name: _manager(connection, name) for name in {e.owner for e in told}}
    rows: list[dict[str, Any]] = [
        {"event": e.name, "owner": e.owner, "manager": managers[e.owner], "data": dict(e.data), "at": now}
        for e in told
    ]
    connection.execute(_INSERT, rows)


def _manager(connection: Connection, owner: str) -> str:
    """Who manages a user: its own owner."""
    return str(connection.execute(_MANAGER, {"of_name": owner}).scalar() or "") if owner else ""
