"""ZoneCopy: a zone on a host that is a secondary of the zone's own (RFC 1034, section 4.3.5).

Nobody writes one: the control plane makes and deletes it with its zone (`state.zones.copies`), so no door shows it.
"""

from pydantic import Field

from state.compiling import Compiled, Context, Reason
from state.dns.transfer import CHECKSUM, KEY, copied, copy_statement, key_name
from state.document import Document, Ref
from state.kind import Kind
from state.resource import Secret, config, private_config, zone_copy
from state.spec import Spec

ZONE = "DnsZone"


class ZoneCopy(Spec):
    """A copy of the zone of this name."""

    zone: str = Field(max_length=255, description="The zone that it is a copy of.")


def copy_name(zone: str, host: str) -> str:
    """What the copy of a zone on a host is called; no name that one may choose has an @ in it."""
    return f"{zone}@{host}"


def _zone(document: Document) -> str:
    assert isinstance(document.spec, ZoneCopy)
    return document.spec.zone


def _compile(context: Context) -> Compiled:
    """A copy is not made before its zone's host serves that, since there is nothing to have before."""
    zone = context.related(Ref(ZONE, _zone(context.document)))
    if zone is None or not copied(zone.spec):
        return Compiled(waiting=(Reason("Waiting", "its zone is about to go from its own host"),))
    primary = context.plane.addresses.get(zone.target, "")
    checksum = zone.kept.get(CHECKSUM)
    if not primary:
        words = f"the address of {zone.target} is not known: set ghostcp_dns_address in the inventory"
        return Compiled(blocked=(Reason("AddressUnknown", words),))
    if not checksum or not zone.sealed or "serial" not in zone.kept:
        return Compiled(waiting=(Reason("Waiting", f"{zone.target} does not serve {zone.name} yet"),))
    key = private_config("named", key_name(zone.name), Secret(zone.sealed, KEY), str(checksum), group="bind")
    options = config("named", f"{zone.name}.conf", copy_statement(zone.name, primary), requires=(key.key,))
    return Compiled((key, options, zone_copy(zone.name, primary, requires=(options.key,))))


def _check_name(value: str) -> str:
    raise ValueError(f"{value!r} cannot be chosen: copies come with their zones")


ZONE_COPY = Kind(
    name="ZoneCopy",
    plural="zone-copies",
    topic="dns.copy",
    schema=ZoneCopy,
    name_field="copy",
    check_name=_check_name,
    rank=5,
    compile=_compile,
    references=lambda document: (Ref(ZONE, _zone(document), weak=True),),
)
