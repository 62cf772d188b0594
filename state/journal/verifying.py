"""Verifying the audit: every tampered, missing or foreign entry of its chain is a fault."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, String, func, select
from sqlalchemy.exc import OperationalError

from state.journal.chain import GONE, START, Record, digest_of, is_ours, key_of, same, stored_record
from state.journal.tables import audit
from state.keys import mark

_CHUNK = 1000
_TEXTS = tuple(column.name for column in audit.columns if isinstance(column.type, String))


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


def verify(connection: Connection, var: Path, noted: Head | None = None) -> Verdict:
    """Follows the whole chain: every tampered, missing or foreign entry is a fault, and so is another one than `noted`.

    What is appended meanwhile is left to the next time.
    """
    key, record = key_of(var), stored_record(connection)
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
    if record and (beyond := _greatest(connection)) > getattr(stored_record(connection), "last", last):
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
    if not same(row["digest"], digest_of(key, row)):
        yield f"entry {number} was changed"


def _record_faults(key: bytes, record: Record | None, var: Path) -> list[str]:
    """What is wrong with the record; one that is sealed is noted to have begun."""
    if record is None:
        return [GONE]
    if not is_ours(key, record, var):
        return ["the record of the last entry was changed"]
    if record.seal:
        mark(var, "audit")
    return []


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
