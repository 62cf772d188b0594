"""The audit: who did what, append-only, each entry chained to the one before by a keyed hash (HMAC-SHA256, RFC 2104).

The key is not in the database, so that who can write there cannot make a chain that holds. What was cut off at the
end is missed because the last number and hash are kept, sealed with the same key, beside the chain. That this was begun
is noted beside the key: from then on nothing without a seal is believed, not even an audit that looks unused.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, String, bindparam, func, select, update
from sqlalchemy.exc import OperationalError

from state.claims import lock
from state.database import Database
from state.errors import Unreadable
from state.journal.tables import audit, audit_head
from state.keys import is_marked, keyring, mark

START = "0" * 64
MASKED = "********"
_GONE = "the record of the last entry is gone, or cannot be read"
_HEAD = select(audit_head.c.last, audit_head.c.digest, audit_head.c.seal).where(audit_head.c.id == 1)
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


@dataclass(frozen=True, slots=True)
class _Record:
    """The row beside the chain: the last entry's number and hash, and their seal."""

    last: int
    digest: str
    seal: str


def begin(database: Database, var: Path) -> None:
    """Seals an audit that was never used; to be called before the first request. It is noted after the commit."""
    with database.writing() as connection:
        lock(connection, "audit")
        record = _record(connection)
        if record is None or not _is_ours(_key(var), record, var):
            return
        connection.execute(_MOVE, _move(_key(var), record.last, record.digest))
    mark(var, "audit")


def append(connection: Connection, var: Path, *entries: Entry) -> None:
    """Appends entries; on PostgreSQL others who append wait until this transaction ends. Raises Unreadable.

    A record that was tampered with is carried on without a seal, so that work goes on and `verify` goes on telling.
    """
    if not entries:
        return
    lock(connection, "audit")
    record = _record(connection)
    if record is None:
        raise Unreadable(f"the audit cannot go on: {_GONE}: bring the database back from a backup")
    key, rows, now, previous = _key(var), [], datetime.now(UTC), record.digest
    for number, entry in enumerate(entries, record.last + 1):
        told = {name: getattr(entry, name) for name in _FIELDS}
        views = {name: _storable(told[name]) for name in ("before", "after")}
        row = {"id": number, "at": now, **told, **views, "previous": previous}
        previous = _digest(key, row)
        rows.append(row | {"digest": previous})
    connection.execute(_INSERT, rows)
    moved = _move(key, record.last + len(rows), previous)
    connection.execute(_MOVE, moved if _is_ours(key, record, var) else moved | {"to_seal": ""})


def verify(connection: Connection, var: Path, noted: Head | None = None) -> Verdict:
    """Follows the whole chain: every tampered, missing or foreign entry is a fault, and so is another one than `noted`.

    What is appended meanwhile is left to the next time.
    """
    key, record = _key(var), _record(connection)
    faults = _record_faults(key, record, var)
    last = record.last if record else _greatest(connection)
    previous: str | None = START
    expected, found = 1, None
    for number, row in _rows(connection, last):
        faults += _order_faults(number, expected)
        if number < expected:
            continue
        faults += _faults(key, number, row, previous if number == expected else None)
        previous, expected = row["digest"] if row else None, number + 1
        found = previous if noted and number == noted.number else found
    if record and (last != expected - 1 or previous not in {None, record.digest}):
        faults.append(f"entries after {expected - 1} are missing: the last was {last}")
    if record and (beyond := _greatest(connection)) > getattr(_record(connection), "last", last):
        faults.append(f"entry {beyond} was put behind the last one")
    if noted and noted.number and found != noted.digest:
        faults.append(f"entry {noted.number} is not the one that was noted")
    return Verdict(Head(expected - 1, previous or START), tuple(faults))


def _order_faults(number: int, expected: int) -> Iterator[str]:
    if number < 1:
        yield f"entry {number} was put before the first one"
    elif number < expected:
        yield f"entry {number} is there twice"
    elif number > expected:
        yield f"entries {expected} to {number - 1} are missing"


def _faults(key: bytes, number: int, row: Mapping[Any, Any] | None, previous: str | None) -> Iterator[str]:
    """What is wrong with an entry; `previous` is the hash of the one before, if that is known."""
    if row is None:
        yield f"entry {number} cannot be read"
        return
    if previous is not None and row["previous"] != previous:
        yield f"entry {number} does not follow the one before it"
    if not _same(row["digest"], _digest(key, row)):
        yield f"entry {number} was changed"


def _record_faults(key: bytes, record: _Record | None, var: Path) -> list[str]:
    """What is wrong with the record; one that is sealed is noted to have begun."""
    if record is None:
        return [_GONE]
    if not _is_ours(key, record, var):
        return ["the record of the last entry was changed"]
    if record.seal:
        mark(var, "audit")
    return []


def _record(connection: Connection) -> _Record | None:
    """None if it is not there, or holds what we never write."""
    row = connection.execute(_HEAD).one_or_none()
    is_sound = row and isinstance(row.last, int) and isinstance(row.digest, str) and isinstance(row.seal, str)
    return _Record(*row) if row and is_sound else None


def _is_ours(key: bytes, record: _Record, var: Path) -> bool:
    """Whether we wrote it: there is no seal only as long as the audit was not begun."""
    if record == _Record(0, START, ""):
        return not is_marked(var, "audit")
    return _same(record.seal, _seal(key, record.last, record.digest))


def _greatest(connection: Connection) -> int:
    return connection.execute(select(func.max(audit.c.id))).scalar() or 0


def _rows(connection: Connection, last: int) -> Iterator[tuple[int, Mapping[Any, Any] | None]]:
    """The entries up to `last` with their numbers, also those below 1; None for one that cannot be read."""
    numbers = select(audit.c.id).where(audit.c.id <= last).order_by(audit.c.id).limit(_CHUNK)
    chunk = connection.execute(numbers).scalars().all()
    while chunk:
        yield from _read(connection, chunk)
        chunk = connection.execute(numbers.where(audit.c.id > chunk[-1])).scalars().all()


def _read(connection: Connection, numbers: Sequence[int]) -> list[tuple[int, Mapping[Any, Any] | None]]:
    """If one of them cannot be read they are read again one by one, to know which."""
    between = select(audit).where(audit.c.id.between(numbers[0], numbers[-1])).order_by(audit.c.id)
    try:
        rows = connection.execute(between).mappings().all()
    except (ValueError, TypeError, OperationalError) as error:
        if isinstance(error, OperationalError) and "decode" not in str(error.orig):
            raise
        if len(numbers) == 1:
            return [(numbers[0], None)]
        return [each for number in numbers for each in _read(connection, [number])]
    return [(row["id"], row if _is_sound(row) else None) for row in rows]


def _is_sound(row: Mapping[Any, Any]) -> bool:
    """Whether each column holds what such a column can hold; SQLite takes anything."""
    return isinstance(row["at"], datetime) and all(isinstance(row[name], str) for name in _TEXTS)


def _storable(view: Mapping[str, Any] | None) -> Any:
    """A view as each database gives it back: fractions as texts, since not all of them keep how one was written."""
    return None if view is None else json.loads(json.dumps(view), parse_float=str)


def _digest(key: bytes, row: Mapping[Any, Any]) -> str:
    fields = {name: row[name] for name in _CHAINED}
    text = json.dumps({**fields, "at": fields["at"].isoformat()}, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


_CHAINED = tuple(column.name for column in audit.columns if column.name != "digest")
_TEXTS = tuple(column.name for column in audit.columns if isinstance(column.type, String))


def _move(key: bytes, last: int, digest: str) -> dict[str, int | str]:
    return {"to_last": last, "to_digest": digest, "to_seal": _seal(key, last, digest)}


def _seal(key: bytes, last: int, digest: str) -> str:
    return hmac.new(key, f"head {last} {digest}".encode(), hashlib.sha256).hexdigest()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _key(var: Path) -> bytes:
    return keyring(var, "audit")[0].encode()
