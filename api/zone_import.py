"""Bringing a zone in: the zone is made or found, and its records become those that were read, all or none."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection

from api import access, writes
from api.auth import Principal
from api.contexts import context_of
from api.fields import find_owner
from api.removing import verdict
from api.writes import New, Written, visible_by_name
from api.zone_settings import settings_of
from api.zone_wish import ZoneWish
from state.dns.master import Line, MasterFile, Note
from state.dns.merging import Merge, beyond, merge
from state.dns.zone import Entry, of_values
from state.document import Document
from state.errors import Fault, Invalid, NotFound
from state.files.parts import beside
from state.keeping import keep
from state.kinds.dns_record import DNS_RECORD
from state.kinds.dns_zone import DNS_ZONE, served
from state.reading import get, parts_of
from state.settings import Settings

_STAYS = "the zone keeps its own settings: replace them, or name them under 'zone'"


@dataclass(frozen=True, slots=True)
class Brought:
    """The zone, all that was written, what that comes to in the lines of a zone file, and the verdict on what goes."""

    zone: Written
    written: tuple[Written, ...]
    report: Mapping[str, Any]
    guard: Mapping[str, Any]


@dataclass(slots=True)
class _Writing:
    """The records as they are written one by one: which line each is from, by uid, and what is wrong."""

    connection: Connection
    principal: Principal
    wish: ZoneWish
    zone: Document
    written: list[Written] = field(default_factory=list)
    lines: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def take(self, line: Line, make: Callable[[], Written]) -> None:
        try:
            one = make()
        except Invalid as error:
            self.faults += [faulty(self.wish, line.number, f"{f.field}: {f.message}") for f in error.faults]
            return
        self.written.append(
            replace(one, place=f"{'server' if self.wish.server else 'zone_file'}.{line.number}.")
        )
        self.lines[one.after.uid] = line.number


def bring_in(
    connection: Connection, principal: Principal, settings: Settings, wish: ZoneWish, file: MasterFile
) -> Brought:
    """Does what is wished for with a file without faults. Raises Invalid with every fault, each with its line."""
    zone, left_out = _zone(connection, principal, wish, file)
    parts = parts_of(connection, [zone.after.uid])
    template = _template(connection, settings, zone.after, parts)
    lines = beyond(file.records, template)
    made = merge(tuple(_served(parts, zone.after.name)), lines, replace=wish.mode == "replace")
    made = replace(made, unchanged=made.unchanged + len(file.records) - len(lines))
    writing = _Writing(connection, principal, wish, zone.after)
    _write(writing, {part.uid: part for part in parts}, made)
    _refuse_clashes(writing, parts)
    written = (zone, *writing.written)
    guard = verdict(len(made.lost), len(parts), wish.allow_deletes, "records")
    return Brought(zone, written, _report(wish, made, (*left_out, *file.left_out)), guard)


def faulty(wish: ZoneWish, number: int, message: str) -> Fault:
    """What is wrong with a line that was read, with its number."""
    if wish.server:
        return Fault(f"server.{number}", f"record {number}: {message}")
    return Fault(f"zone_file.{number}", f"line {number}: {message}")


def _zone(
    connection: Connection, principal: Principal, wish: ZoneWish, file: MasterFile
) -> tuple[Written, list[Note]]:
    """The zone as it is to be, and what of the start of authority is left out."""
    settings, refused = settings_of(file.start) if file.start else ({}, [])
    found = _found(connection, principal, wish.domain)
    if found is not None and wish.mode == "merge":
        settings, refused = {}, [_STAYS] if file.start else []
    left_out = [Note(file.start_number, "SOA", reason) for reason in refused]
    with _told_apart():
        if found is None:
            return _new(connection, principal, wish, settings, file.serial), left_out
        faults = [
            Fault(name, "the zone is there already, and stays whose and where it is")
            for name in ("user_id", "host")
            if getattr(wish, name) is not None
        ]
        wanted = {**settings, **wish.zone}
        return writes.change(connection, principal, found, wanted, faults=faults, apart=False), left_out


def _found(connection: Connection, principal: Principal, domain: str) -> Document | None:
    """The zone, if it is there to be seen. Raises Invalid for what is no name of one."""
    try:
        return visible_by_name(connection, principal, DNS_ZONE.name, DNS_ZONE.check_name(domain))
    except ValueError as error:
        raise Invalid([Fault("domain", str(error))]) from None
    except NotFound:
        return None


def _new(
    connection: Connection, principal: Principal, wish: ZoneWish, settings: Mapping[str, Any], serial: int
) -> Written:
    """A new zone, with the template that adds nothing. Its serials go on after that of the file, so that secondaries
    that had it from elsewhere see it grow."""
    faults: list[Fault] = []
    owner = find_owner(connection, principal, DNS_ZONE, wish.user_id, faults)
    whose = access.owner_of_new(principal, DNS_ZONE, owner.name if owner else None)
    values = {"template": "none", **settings, **wish.zone}
    made = writes.create(
        connection, principal, New(DNS_ZONE, wish.domain, whose, values, wish.host, faults), apart=False
    )
    if not serial:
        return made
    keep(connection, made.after.uid, {"serial": serial})
    return replace(made, after=get(connection, made.after.uid))


@contextmanager
def _told_apart() -> Iterator[None]:
    """Faults of the zone's settings are told where these are given."""
    try:
        yield
    except Invalid as error:
        own = {*DNS_ZONE.schema.model_fields}
        outside = {"domain", "user_id", "host"}
        raise Invalid(
            [
                Fault(f.field if f.field in outside - own else f"zone.{f.field}", f.message)
                for f in error.faults
            ]
        ) from None


def _served(parts: Iterable[Document], zone: str) -> Iterator[Entry]:
    """The records that are served. Those that are switched off, or say nothing that can be, stay as they are."""
    for part in parts:
        values = vars(part.spec)
        try:
            if values.get("is_active", True):
                yield of_values(values, zone, part.uid)
        except ValueError:
            continue


def _template(
    connection: Connection, settings: Settings, zone: Document, parts: Sequence[Document]
) -> list[Entry]:
    """The records that its template gives a zone now; none when it cannot be used."""
    try:
        entries, _ = served(context_of(connection, settings, zone, parts))
    except Exception:  # whatever a template does
        return []
    return [entry for entry in entries if not entry.uid]


def _write(writing: _Writing, parts: Mapping[str, Document], made: Merge) -> None:
    """Does it, and puts what was written and what is wrong to `writing`."""
    connection, principal = writing.connection, writing.principal
    meant = len(made.lost) <= writing.wish.allow_deletes
    for entry in made.removed:
        confirmed = meant or entry not in made.lost
        one = writes.remove(connection, principal, parts[entry.uid], confirmed=confirmed)
        writing.written.append(one)
    for entry, line in made.changed:
        part, ttl = parts[entry.uid], {"ttl": line.entry.ttl}
        writing.take(line, partial(writes.change, connection, principal, part, ttl, apart=False))
    for line in made.added:
        new = New(DNS_RECORD, "", writing.zone.owner, _values(line), None, (), writing.zone)
        writing.take(line, partial(writes.create, connection, principal, new, apart=False))


def _values(line: Line) -> dict[str, Any]:
    entry = line.entry
    told = {"name": entry.name, "record_type": entry.type, "value": line.value, "ttl": entry.ttl}
    return told | {"priority": line.priority}


def _refuse_clashes(writing: _Writing, parts: Sequence[Document]) -> None:
    """Looks at all records beside each other, now that those that go are gone. Raises Invalid."""
    touched = {one.after.uid for one in writing.written}
    living = [one.after for one in writing.written if not one.after.deleted]
    for part, _, message in beside([*(p for p in parts if p.uid not in touched), *living]):
        if part.uid in writing.lines:
            writing.faults.append(faulty(writing.wish, writing.lines[part.uid], message))
    if writing.faults:
        raise Invalid(writing.faults)


def _report(wish: ZoneWish, made: Merge, left_out: Iterable[Note]) -> dict[str, Any]:
    return {
        "mode": wish.mode,
        "added": [str(line.entry) for line in made.added],
        "changed": [{"before": str(entry), "after": str(line.entry)} for entry, line in made.changed],
        "deleted": [str(entry) for entry in made.removed],
        "unchanged": made.unchanged,
        "left_out": [{"line": n.number, "record": n.text, "reason": n.reason} for n in left_out],
    }
