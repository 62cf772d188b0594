"""The keys that zones are handed to secondaries with (TSIG, RFC 8945): one for each zone, made here, sealed with it."""

import secrets
from base64 import b64encode
from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path

import structlog
from sqlalchemy import Connection, select

from state.dns.transfer import CHECKSUM, KEY, key_file
from state.document import Document
from state.errors import NotFound, Unreadable
from state.keeping import keep, put_away, sealed_with
from state.kinds import EVERY, has_copies
from state.reading import by_uid, from_row
from state.recording import touch
from state.resource import sha256
from state.tables import documents

BYTES = 32
_log = structlog.get_logger()


def lacks_key(document: Document) -> bool:
    """Whether it is something that secondaries have copies of, and has no key for that yet."""
    return has_copies(document) and CHECKSUM not in document.kept


def give_keys(connection: Connection, var: Path, zones: Iterable[Document]) -> dict[str, Document]:
    """Gives each zone a new key in place of the one that it has; the zones by uid.

    One whose other secrets fit no key of the vault is left as it is, and a word is in the log.
    """
    given = []
    for zone in zones:
        text = _new_key(zone)
        try:
            put_away(connection, var, zone.uid, {KEY: text})
        except Unreadable as error:
            _log.warning("a zone gets no key for its secondaries", zone=zone.name, why=str(error))
            continue
        keep(connection, zone.uid, {CHECKSUM: sha256(text)})
        given.append(zone.uid)
    return {zone.uid: zone for zone in by_uid(connection, given)}


def renew_keys(connection: Connection, var: Path, names: Collection[str] = ()) -> int:
    """Gives the zones of these names, or all, new keys in place of those that they have, and calls for a look at both
    sides; how many those are. Raises NotFound for a name that no zone with a key has.
    """
    kinds = [kind.name for kind in EVERY.values() if kind.copied]
    query = select(documents).where(documents.c.kind.in_(kinds), documents.c.deleted_at.is_(None))
    found = [from_row(row) for row in connection.execute(query).mappings()]
    zones = [zone for zone in found if CHECKSUM in zone.kept and (not names or zone.name in names)]
    for name in sorted(set(names) - {zone.name for zone in zones}):
        raise NotFound(f"{name!r} is no zone that secondaries have", resource="zone", id=name)
    for zone in give_keys(connection, var, zones).values():
        touch(connection, zone)
    return len(zones)


def with_passing_key(zone: Document, var: Path) -> Document:
    """The zone with a key that is not stored and as if it was served, for asking what would be done then."""
    text = _new_key(zone)
    try:
        sealed = sealed_with(var, zone.sealed, {KEY: text})
    except Unreadable:
        sealed = sealed_with(var, None, {KEY: text})
    return replace(zone, sealed=sealed, kept={"serial": 0, **zone.kept, CHECKSUM: sha256(text)})


def _new_key(zone: Document) -> str:
    return key_file(zone.name, b64encode(secrets.token_bytes(BYTES)).decode())
