"""A zone handed out: the zone file of what is served of it, and as remarks what is not."""

from sqlalchemy import Connection

from api.contexts import context_of
from state.dns.zone import zone_file
from state.document import Document
from state.errors import Conflict
from state.kinds.dns_record import as_line
from state.kinds.dns_zone import DnsZone, served, start_of
from state.reading import parts_of
from state.settings import Settings


def export(connection: Connection, settings: Settings, zone: Document) -> str:
    """The zone file, which is brought in again as the same zone. Raises Conflict when its template is of no use."""
    spec = zone.spec
    assert isinstance(spec, DnsZone)
    parts = sorted(parts_of(connection, [zone.uid]), key=lambda part: part.name)
    context = context_of(connection, settings, zone, parts)
    try:
        entries, wrong = served(context)
    except Exception as error:  # whatever a template does
        words = f"its template {spec.template!r} cannot be used: {error}"
        raise Conflict(words, code="template_failed") from None
    others = [each for each in parts if each.uid in wrong or not vars(each.spec).get("is_active", True)]
    left = [f"; not served: {as_line(each.name, vars(each.spec))}" for each in others]
    head = f"; {zone.name}, as it is wanted at generation {zone.generation}"
    return zone_file(
        zone.name, start_of(zone.name, spec), int(zone.kept.get("serial", 0)), entries, head, left
    )
