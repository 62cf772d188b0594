"""What zones that are served here say of zones below them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from state.dns.names import place_of
from state.dns.signing import Seen
from state.dns.zone import Entry, of_values
from state.reading import from_row, parts_of
from state.tables import documents


def published_here(connection: Connection, zone: str) -> Seen | None:
    """The DS records of a zone in the zone above it; None when that is not served here."""
    labels = zone.split(".")
    names = [".".join(labels[start:]) for start in range(1, len(labels))]
    alive = documents.c.deleted_at.is_(None)
    query = select(documents).where(documents.c.kind == "DnsZone", documents.c.name.in_(names), alive)
    found = [from_row(row) for row in connection.execute(query).mappings()]
    served = [document for document in found if getattr(document.spec, "is_active", False)]
    if not served:
        return None
    above = max(served, key=lambda document: len(document.name))
    name = place_of(f"{zone}.", above.name)
    told = [
        entry
        for part in parts_of(connection, [above.uid])
        if (entry := _served(vars(part.spec), above.name)) and (entry.type, entry.name) == ("DS", name)
    ]
    return Seen(tuple(entry.text.upper() for entry in told), max((entry.ttl for entry in told), default=0))


def _served(values: Mapping[str, Any], zone: str) -> Entry | None:
    """The record that this spec says; None for one that is switched off, or says none."""
    try:
        return of_values(values, zone) if values.get("is_active", True) else None
    except ValueError:
        return None
