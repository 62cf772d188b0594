"""Events as they are written: in the transaction that made them happen, in the order of commits."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, insert, select

from state.claims import lock
from state.cursors import PRUNED, position
from state.database import at_end
from state.journal.event import Event
from state.journal.tables import events
from state.tables import documents

_USER = select(documents.c.owner).where(documents.c.kind == "User", documents.c.name == bindparam("of_name"))
_LIVING, _BURIED = (
    _USER.where(documents.c.deleted_at.is_(None)),
    _USER.where(documents.c.deleted_at.is_not(None)).order_by(documents.c.deleted_at.desc()).limit(1),
)
_INSERT = insert(events)
_NEXT = select(events).where(events.c.id > bindparam("after")).order_by(events.c.id).limit(bindparam("most"))


def emit(connection: Connection, *told: Event) -> None:
    """Tells of events when the transaction commits, and only then."""
    pending: list[Event] = at_end(connection, "events", _write, list)
    pending.extend(told)


def documents_told_of(connection: Connection) -> list[str]:
    """The documents (uids) that were made, changed or deleted so far in this transaction, in that order."""
    pending: list[Event] = at_end(connection, "events", _write, list)
    return list(dict.fromkeys(str(each.data["id"]) for each in pending if "kind" in each.data))


def last_number(connection: Connection) -> int:
    """The number of the last event that there is, or was until it was pruned."""
    last = int(connection.execute(select(func.max(events.c.id))).scalar() or 0)
    return max(last, position(connection, PRUNED))


def events_after(connection: Connection, after: int, limit: int) -> Sequence[Row[Any]]:
    """The next events, in the order of commits: none appears later among those that were read."""
    return connection.execute(_NEXT, {"after": after, "most": limit}).all()


def told_between(
    connection: Connection, after: int, upto: int, known: ColumnElement[bool], limit: int
) -> Sequence[Row[Any]]:
    """The events after one number and up to another that meet the condition, at most so many."""
    between = (events.c.id > after) & (events.c.id <= upto)
    return connection.execute(select(events).where(between, known).order_by(events.c.id).limit(limit)).all()


def _write(connection: Connection, told: Sequence[Event]) -> None:
    """On PostgreSQL others who emit wait from here to the commit: no number appears after a higher one."""
    if not told:
        return
    lock(connection, "events")
    now, unknown = datetime.now(UTC), {e.owner for e in told if e.manager is None}
    managers = {name: _manager(connection, name) for name in unknown}
    rows: list[dict[str, Any]] = [
        {
            "event": e.name,
            "owner": e.owner,
            "manager": managers[e.owner] if e.manager is None else e.manager,
            "data": dict(e.data),
            "at": now,
        }
        for e in told
    ]
    connection.execute(_INSERT, rows)


def _manager(connection: Connection, owner: str) -> str:
    """Who manages a user, be it deleted just now: its own owner; nobody where there is no such user."""
    queries = (_LIVING, _BURIED) if owner else ()
    found = (connection.execute(query, {"of_name": owner}).scalar() for query in queries)
    return next((str(name) for name in found if name is not None), "")
