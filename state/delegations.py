"""What zones that are served here say of zones below them."""

from sqlalchemy import Connection, select

from state.dns.names import place_of
from state.dns.signing import Seen
from state.dns.values import rdata
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
    specs = [vars(part.spec) for part in parts_of(connection, [above.uid])]
    told = [s for s in specs if s["is_active"] and (s["record_type"], s["name"]) == ("DS", name)]
    records = tuple(rdata("DS", spec["value"], 0, above.name).upper() for spec in told)
    return Seen(records, max((spec["ttl"] for spec in told), default=0))
