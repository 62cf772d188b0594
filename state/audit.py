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

from sqlalchemy import Connection, bindparam, func, select, update

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
class Head:
    """The last entry: its number and its hash. Noted elsewhere, it shows whether all up to it is still there."""

    number: int
    digest: str

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying found: the last entry (its number is how many there are), and what is wrong, if anything."""

    head: Head
    faults: tuple[str, ...] = ()


def append(connection: Connection, var: Path, *entries: Entry) -> None:
    """Appends entries; on PostgreSQL others who append wait until this transaction ends."""
    if not entries:
        return
    lock(connection, "audit")
    last, previous = connection.execute(_HEAD).one()
    key, rows, now = _key(var), [], datetime.now(UTC)
    for number, entry in enumerate(entries, last + 1):
        told = {name: getattr(entry, name) for name in _FIELDS}
        views = {name: _storable(told[name]) for name in ("before", "after")}
        row = {"id": number, "at": now, **told, **views, "previous": previous}
        previous = _digest(key, row)
        rows.append(row | {"digest": previous})
    connection.execute(_INSERT, rows)
    last += len(rows)
    connection.execute(_MOVE, {"to_last": last, "to_digest": previous, "to_seal": _seal(key, last, previous)})


def verify(connection: Connection, var: Path, noted: Head | None = None) -> Verdict:
    """Follows the whole chain: every tampered, missing or foreign entry is a fault, and so is another one than `noted`.

    What is appended meanwhile is left to the next time.
    """
    key, head = _key(var), _head(connection)
    faults = [] if _sealed(key, head) else ["the record of the last entry was changed"]
    previous, expected, found = START, 1, None
    try:
        for row in _rows(connection, head["last"]):
            faults += _faults(key, row, previous, expected)
            previous, expected = row["digest"], row["id"] + 1
            found = previous if noted and row["id"] == noted.number else found
    except ValueError:
        return Verdict(
            Head(expected - 1, previous), (*faults, f"an entry after {expected - 1} cannot be read")
        )
    if (head["last"], head["digest"]) != (expected - 1, previous):
        faults.append(f"entries after {expected - 1} are missing: the last was {head['last']}")
    beyond = connection.execute(select(func.max(audit.c.id))).scalar() or 0
    if beyond > _head(connection)["last"]:
        faults.append(f"entry {beyond} was put behind the last one")
    if noted and noted.number and found != noted.digest:
        faults.append(f"entry {noted.number} is not the one that was noted")
    return Verdict(Head(expected - 1, previous), tuple(faults))


def _faults(key: bytes, row: Mapping[Any, Any], previous: str, expected: int) -> Iterator[str]:
    """What is wrong with an entry, of which the one before is known."""
    if row["id"] != expected:
        yield f"entries {expected} to {row['id'] - 1} are missing"
    elif row["previous"] != previous:
        yield f"entry {row['id']} does not follow the one before it"
    if not hmac.compare_digest(row["digest"], _digest(key, row)):
        yield f"entry {row['id']} was changed"


def _head(connection: Connection) -> Mapping[Any, Any]:
    return connection.execute(select(audit_head).where(audit_head.c.id == 1)).mappings().one()


def _sealed(key: bytes, head: Mapping[Any, Any]) -> bool:
    """Whether we wrote it; before the first entry there is nothing to seal."""
    if (head["last"], head["digest"], head["seal"]) == (0, START, ""):
        return True
    return hmac.compare_digest(head["seal"], _seal(key, head["last"], head["digest"]))


def _storable(view: Mapping[str, Any] | None) -> Any:
    """A view as each database gives it back: fractions as texts, since not all of them keep how one was written."""
    return None if view is None else json.loads(json.dumps(view), parse_float=str)


def _rows(connection: Connection, last: int) -> Iterator[Mapping[Any, Any]]:
    after = 0
    while True:
        chunk = select(audit).where(audit.c.id > after, audit.c.id <= last)
        query = chunk.order_by(audit.c.id).limit(_CHUNK)
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
