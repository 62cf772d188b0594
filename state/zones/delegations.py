"""What zones that are served here say of zones below them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from state.dns.names import place_of
from state.dns.signing import Seen
from state.dns.zone import Entry, of_values
from state.document import Document
from state.reading import from_row, parts_of
from state.statuses import load_statuses
from state.tables import PENDING, documents
from state.zones.copies import copies


def published_here(connection: Connection, zone: str) -> Seen | None:
    """The DS records of a zone in the zone above it; None when that is not served here.

    What is wanted there counts as published. That none is wanted says nothing as long as its host, its provider or a
    secondary may still serve what it was before.
    """
    labels = zone.split(".")
    for start in range(1, len(labels)):
        name = ".".join(labels[start:])
        query = select(documents).where(documents.c.kind == "DnsZone", documents.c.name == name)
        known = [from_row(row) for row in connection.execute(query).mappings()]
        wanted = [each for each in known if _wanted(each)]
        left = _still_there(connection, [each for each in known if each not in wanted])
        if wanted or left:
            told = [entry for each in wanted for entry in _delegations(connection, each, zone)]
            if not told and (left or not _settled(connection, wanted)):
                return Seen(unknown=f"{name} is not served everywhere yet as it is wanted")
            texts = tuple(entry.text.upper() for entry in told)
            return Seen(texts, max((entry.ttl for entry in told), default=0))
    return None


def _wanted(zone: Document) -> bool:
    """Whether a zone is to be served, and there is somewhere to do that."""
    return not zone.deleted and bool(zone.target) and getattr(zone.spec, "is_active", False)


def _delegations(connection: Connection, above: Document, zone: str) -> list[Entry]:
    """The DS records for a zone that are wanted in the one above it."""
    place = ("DS", place_of(f"{zone}.", above.name))
    entries = (_served(vars(part.spec), above.name) for part in parts_of(connection, [above.uid]))
    return [entry for entry in entries if entry and (entry.type, entry.name) == place]


def _served(values: Mapping[str, Any], zone: str) -> Entry | None:
    """The record that this spec says; None for one that is switched off, or says none."""
    try:
        return of_values(values, zone) if values.get("is_active", True) else None
    except ValueError:
        return None


def _still_there(connection: Connection, unwanted: Sequence[Document]) -> bool:
    """Whether anything is left of one of these zones, which are to be served no more."""
    return any(status.applied for status in load_statuses(connection, unwanted).values())


def _settled(connection: Connection, zones: Sequence[Document]) -> bool:
    """Whether zones, and all of their copies, are known to be as they are wanted now."""
    found = [*zones, *copies(connection, [zone.name for zone in zones])]
    uids = [each.uid for each in found]
    waiting = connection.execute(select(documents.c.uid).where(documents.c.uid.in_(uids), PENDING)).first()
    ready = {
        uid: condition.status
        for uid, status in load_statuses(connection, found).items()
        for condition in status.conditions
        if condition.type == "Ready"
    }
    return waiting is None and all(ready.get(uid, False) for uid in uids)
