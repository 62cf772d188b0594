"""Copies of zones on the secondaries of their hosts: made with the zone, and deleted when it is gone from its own host.

So long as a deletion is not true there, since somebody has to say that it is meant, secondaries serve the zone.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import NAMESPACE_OID, uuid5

from sqlalchemy import Connection, delete, insert, select, update

from state.document import Document
from state.kinds import EVERY, has_copies
from state.kinds.zone_copy import ZONE, ZONE_COPY, ZoneCopy, copy_name
from state.reading import from_row
from state.recording import columns
from state.tables import documents, refs, targets

_ALIVE = documents.c.deleted_at.is_(None)


def copy_of(zone: Document, host: str) -> Document:
    """The copy of a zone on a host; it is the same one whenever that is asked."""
    return Document(
        uid=_uid(zone.uid, host),
        kind=ZONE_COPY.name,
        name=copy_name(zone.name, host),
        owner=zone.owner,
        target=host,
        spec=ZoneCopy(zone=zone.name),
        created_at=zone.updated_at,
        updated_at=zone.updated_at,
        request_id=zone.request_id,
    )


def follow(connection: Connection, zone: Document) -> None:
    """Gives a zone the copies that it should have, and takes the others away; a document of another kind has none."""
    if EVERY[zone.kind].copied is None:
        return
    hosts = _secondaries(connection, zone.target) if has_copies(zone) else ()
    wanted = {copy.uid: copy for copy in (copy_of(zone, host) for host in hosts)}
    known = {copy.uid: copy for copy in copies(connection, [zone.name])}
    _bury(connection, known.keys() - wanted.keys())
    for copy in wanted.values():
        if copy.uid not in known:
            _make(connection, copy)


def end(connection: Connection, zone: str) -> None:
    """Takes the copies away of a zone (uid) that is gone."""
    _bury(connection, (_uid(zone, host) for host in connection.execute(select(targets.c.name)).scalars()))


def copies(connection: Connection, zones: Iterable[str]) -> list[Document]:
    """The living copies of the zones with these names."""
    names, found = sorted(set(zones)), []
    for start in range(0, len(names), 500):
        of = (refs.c.kind == ZONE, refs.c.name.in_(names[start : start + 500]))
        query = select(documents).join(refs, refs.c.uid == documents.c.uid)
        query = query.where(*of, documents.c.kind == ZONE_COPY.name, _ALIVE)
        found += [from_row(row) for row in connection.execute(query).mappings()]
    return found


def _uid(zone: str, host: str) -> str:
    return str(uuid5(NAMESPACE_OID, f"{zone}/{host}"))


def _secondaries(connection: Connection, host: str) -> tuple[str, ...]:
    found = connection.execute(select(targets.c.secondaries).where(targets.c.name == host)).scalar()
    return tuple(found or ())


def _make(connection: Connection, copy: Document) -> None:
    """Stores a copy; one that was deleted and is not gone from its host yet is the same one again."""
    row = documents.c.uid == copy.uid
    again = {"deleted_at": None, "confirmed": True, "wanted": documents.c.wanted + 1, "pending": True}
    if connection.execute(update(documents).where(row).values(**again)).rowcount == 0:
        now = datetime.now(UTC)
        values = columns(copy) | {"created_at": now, "updated_at": now, "pending": True}
        connection.execute(insert(documents).values(**values))
    rows = [{"uid": copy.uid, "kind": ref.kind, "name": ref.name} for ref in ZONE_COPY.references(copy)]
    connection.execute(insert(refs), rows)


def _bury(connection: Connection, uids: Iterable[str]) -> None:
    values = {"deleted_at": datetime.now(UTC), "pending": True, "wanted": documents.c.wanted + 1}
    for uid in sorted(uids):
        connection.execute(update(documents).where(documents.c.uid == uid, _ALIVE).values(**values))
        connection.execute(delete(refs).where(refs.c.uid == uid))
