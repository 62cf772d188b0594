"""The keys that zones are handed to secondaries with (TSIG, RFC 8945): one for each zone, made here, sealed with it."""

import json
import secrets
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection

from state.dns.transfer import CHECKSUM, KEY, key_file
from state.document import Document
from state.keeping import keep, put_away
from state.kinds import has_copies
from state.reading import by_uid
from state.resource import sha256
from state.vault import seal

BYTES = 32


def lacks_key(document: Document) -> bool:
    """Whether it is something that secondaries have copies of, and has no key for that yet."""
    return has_copies(document) and CHECKSUM not in document.kept


def give_keys(connection: Connection, var: Path, zones: Iterable[Document]) -> dict[str, Document]:
    """Gives each zone a new key in place of the one that it has; the zones by uid."""
    made = list(zones)
    for zone in made:
        text = _new_key(zone)
        put_away(connection, var, zone.uid, {KEY: text})
        keep(connection, zone.uid, {CHECKSUM: sha256(text)})
    return {zone.uid: zone for zone in by_uid(connection, [zone.uid for zone in made])}


def with_passing_key(zone: Document, var: Path) -> Document:
    """The zone with a key that is not stored and as if it was served, for asking what would be done then."""
    text = _new_key(zone)
    sealed = seal(var, json.dumps({KEY: text}))
    return replace(zone, sealed=sealed, kept={"serial": 0, **zone.kept, CHECKSUM: sha256(text)})


def _new_key(zone: Document) -> str:
    return key_file(zone.name, b64encode(secrets.token_bytes(BYTES)).decode())
