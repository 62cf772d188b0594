"""The audit: who did what, append-only, each entry chained to the one before by a keyed hash (HMAC-SHA256, RFC 2104).

The key is not in the database, so that who can write there cannot make a chain that holds. What was cut off at the
end is missed because the last number and hash are kept, sealed with the same key, beside the chain.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from state.claims import lock
from state.journal_tables import audit, audit_head
from state.keys import keyring

START = "0" * 64
MASKED = "********"
_HEAD = select(audit_head.c.last, audit_head.c.digest).where(audit_head.c.id == 1)
_MOVE = (
    update(audit_head)
    .where(audit_head.c.id == 1)
    .values(last=bindparam("to_last"), digest=bindparam("to_digest"), seal=bindparam("to_seal"))
)
_INSERT = audit.insert()
_CHUNK = 1000


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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying found: how many entries hold, the last hash, and what is wrong, if anything."""

    entries: int
    head: str
    faults: tuple[str, ...] = ()


def append(connection: Connection, var: Path, entry: Entry) -> None:
    """Appends an entry; on PostgreSQL others who append wait until this transaction ends."""
    lock(connection, "audit")
    last, previous = connection.execute(_HEAD).one()
    told = {name: getattr(entry, name) for name in _FIELDS}
    row = {"id": last + 1, "at": datetime.now(UTC), **told, "previous": previous}
    digest = _digest(_key(var), row)
    connection.execute(_INSERT, row | {"digest": digest})
    moved = {"to_last": last + 1, "to_digest": digest, "to_seal": _seal(_key(var), last + 1, digest)}
    connection.execute(_MOVE, moved)


def verify(connection: Connection, var: Path) -> Verdict:
    """Follows the whole chain: every tampered, missing or foreign entry is a fault."""
    key, previous, expected = _key(var), START, 1
    faults: list[str] = []
    for row in _rows(connection):
        if row["id"] != expected:
            faults.append(f"entries {expected} to {row['id'] - 1} are missing")
        elif row["previous"] != previous:
            faults.append(f"entry {row['id']} does not follow the one before it")
        if not hmac.compare_digest(row["digest"], _digest(key, row)):
            faults.append(f"entry {row['id']} was changed")
        previous, expected = row["digest"], row["id"] + 1
    head = connection.execute(select(audit_head).where(audit_head.c.id == 1)).mappings().one()
    if not hmac.compare_digest(head["seal"], _seal(key, head["last"], head["digest"])) and head["last"]:
        faults.append("the record of the last entry was changed")
    if (head["last"], head["digest"]) != (expected - 1, previous):
        faults.append(f"entries after {expected - 1} are missing: the last was {head['last']}")
    return Verdict(expected - 1, previous, tuple(faults))


def _rows(connection: Connection) -> Iterator[Mapping[Any, Any]]:
    after = 0
    while True:
        query = select(audit).where(audit.c.id > after).order_by(audit.c.id).limit(_CHUNK)
        rows = connection.execute(query).mappings().all()
        yield from rows
        if len(rows) < _CHUNK:
            return
        after = rows[-1]["id"]


def _digest(key: bytes, row: Mapping[Any, Any]) -> str:
    fields = {name: row[name] for name in _CHAINED}
    text = json.dumps({**fields, "at": fields["at"].isoformat()}, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


_CHAINED = tuple(column.name for column in audit.columns if column.name != "digest")


def _seal(key: bytes, last: int, digest: str) -> str:
    return hmac.new(key, f"head {last} {digest}".encode(), hashlib.sha256).hexdigest()


def _key(var: Path) -> bytes:
    return keyring(var, "audit")[0].encode()
