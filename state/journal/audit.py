"""The audit: who did what, append-only, each entry chained to the one before by a keyed hash (HMAC-SHA256, RFC 2104).

The key is not in the database, so that who can write there cannot make a chain that holds. What was cut off at the
end is missed because the last number and hash are kept, sealed with the same key, beside the chain. That this was begun
is noted beside the key: from then on nothing without a seal is believed, not even an audit that looks unused.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from state.claims import lock
from state.database import Database
from state.errors import Unreadable
from state.journal.chain import GONE, MOVE, digest_of, is_ours, key_of, moved_to, stored_record
from state.journal.tables import audit
from state.keys import mark

MASKED = "********"
_INSERT = audit.insert()


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that somebody did, or tried to: `before` and `after` are masked views of the object."""

    actor: str
    action: str
    result: str
    actor_id: str = ""
    role: str = ""
    token: str = ""
    address: str = ""
    request_id: str = ""
    object_type: str = ""
    object_id: str = ""
    owner: str = ""
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


_FIELDS = tuple(each.name for each in fields(Entry))


def begin(database: Database, var: Path) -> None:
    """Seals an audit that was never used; to be called before the first request. It is noted after the commit."""
    with database.writing() as connection:
        lock(connection, "audit")
        record = stored_record(connection)
        if record is None or not is_ours(key_of(var), record, var):
            return
        connection.execute(MOVE, moved_to(key_of(var), record.last, record.digest))
    mark(var, "audit")


def append(connection: Connection, var: Path, *entries: Entry) -> None:
    """Appends entries; on PostgreSQL others who append wait until this transaction ends. Raises Unreadable.

    A record that was tampered with is carried on without a seal, so that work goes on and `verify` goes on telling.
    """
    if not entries:
        return
    lock(connection, "audit")
    record = stored_record(connection)
    if record is None:
        raise Unreadable(f"the audit cannot go on: {GONE}: bring the database back from a backup")
    key, rows, now, previous = key_of(var), [], datetime.now(UTC), record.digest
    for number, entry in enumerate(entries, record.last + 1):
        told = {name: getattr(entry, name) for name in _FIELDS}
        views = {name: _storable(told[name]) for name in ("before", "after")}
        row = {"id": number, "at": now, **told, **views, "previous": previous}
        previous = digest_of(key, row)
        rows.append(row | {"digest": previous})
    connection.execute(_INSERT, rows)
    moved = moved_to(key, record.last + len(rows), previous)
    connection.execute(MOVE, moved if is_ours(key, record, var) else moved | {"to_seal": ""})


def _storable(view: Mapping[str, Any] | None) -> Any:
    """A view as each database gives it back: fractions as texts, since not all of them keep how one was written."""
    return None if view is None else json.loads(json.dumps(view), parse_float=str)
