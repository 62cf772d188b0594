"""Copies of zones on the secondaries of their hosts: made with the zone, and deleted when it is gone from its own host.

So long as a deletion is not true there, since somebody has to say that it is meant, secondaries serve the zone.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from uuid import NAMESPACE_OID, uuid5

from sqlalchemy import Connection, delete, insert, select, update

from state.document import Document
from state.kinds import EVERY, has_copies
from state.kinds.zone_copy import ZONE, ZONE_COPY, ZoneCopy, copy_name
from state.reading import from_row
from state.recording import columns
from state.tables import documents, refs, targets

CHUNK = 500
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
    if EVERY[zone.kind].copied is not None:
        follow_all(connection, [zone])


def follow_all(connection: Connection, zones: Sequence[Document]) -> None:
    """The same for many zones."""
    hosts = {target: _secondaries(connection, target) for target in {zone.target for zone in zones}}
    served = [zone for zone in zones if has_copies(zone)]
    wanted = {copy.uid: copy for zone in served for copy in _copies_of(zone, hosts[zone.target])}
    known = {copy.uid for copy in copies(connection, (zone.name for zone in zones))}
    _bury(connection, known - wanted.keys())
    _make(connection, [copy for uid, copy in wanted.items() if uid not in known])


def end(connection: Connection, zone: str) -> None:
    """Takes the copies away of a zone (uid) that is gone."""
    hosts = connection.execute(select(targets.c.name)).scalars().all()
    possible = documents.c.uid.in_([_uid(zone, host) for host in hosts])
    _bury(connection, connection.execute(select(documents.c.uid).where(possible, _ALIVE)).scalars().all())


def copies(connection: Connection, zones: Iterable[str]) -> list[Document]:
    """The living copies of the zones with these names."""
    names, found = sorted(set(zones)), []
    for start in range(0, len(names), CHUNK):
        of = (refs.c.kind == ZONE, refs.c.name.in_(names[start : start + CHUNK]))
        query = select(documents).join(refs, refs.c.uid == documents.c.uid)
        query = query.where(*of, documents.c.kind == ZONE_COPY.name, _ALIVE)
        found += [from_row(row) for row in connection.execute(query).mappings()]
    return found


def _copies_of(zone: Document, hosts: Iterable[str]) -> list[Document]:
    return [copy_of(zone, host) for host in hosts]


def _uid(zone: str, host: str) -> str:
    return str(uuid5(NAMESPACE_OID, f"{zone}/{host}"))


def _secondaries(connection: Connection, host: str) -> tuple[str, ...]:
    found = connection.execute(select(targets.c.secondaries).where(targets.c.name == host)).scalar()
    return tuple(found or ())


def _make(connection: Connection, made: Sequence[Document]) -> None:
    """Stores copies; one that was deleted and is not gone from its host yet is the same one again."""
    uids, buried = [copy.uid for copy in made], set[str]()
    for start in range(0, len(uids), CHUNK):
        row = documents.c.uid.in_(uids[start : start + CHUNK])
        again = {"deleted_at": None, "confirmed": True, "wanted": documents.c.wanted + 1, "pending": True}
        buried |= set(connection.execute(select(documents.c.uid).where(row)).scalars())
        connection.execute(update(documents).where(row).values(**again))
    now = datetime.now(UTC)
    times = {"created_at": now, "updated_at": now, "pending": True}
    new = [columns(copy) | times for copy in made if copy.uid not in buried]
    if new:
        connection.execute(insert(documents), new)
    references = [(copy.uid, ref) for copy in made for ref in ZONE_COPY.references(copy)]
    if references:
        rows = [{"uid": uid, "kind": ref.kind, "name": ref.name} for uid, ref in references]
        connection.execute(insert(refs), rows)


def _bury(connection: Connection, uids: Iterable[str]) -> None:
    values = {"deleted_at": datetime.now(UTC), "pending": True, "wanted": documents.c.wanted + 1}
    gone = sorted(uids)
    for start in range(0, len(gone), CHUNK):
        chunk = gone[start : start + CHUNK]
        connection.execute(update(documents).where(documents.c.uid.in_(chunk), _ALIVE).values(**values))
        connection.execute(delete(refs).where(refs.c.uid.in_(chunk)))
