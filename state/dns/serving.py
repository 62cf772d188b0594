"""What a zone is on its host: its file, its statement, and the key that secondaries, if there are any, get it with."""

from state.dns.transfer import CHECKSUM, KEY, MANAGED, given_to, in_parts, key_name, statement, with_key
from state.kind import Context
from state.resource import Resource, Secret, config, private_config

LIVE = "/etc/ghostcp/live/named"


def resources_of(context: Context, text: str) -> tuple[Resource, ...]:
    """The zone of the context, whose file has this text."""
    zone = context.document.name
    file, lines = config("named", f"{zone}.zone", text), ["type primary;", f'file "{LIVE}/{zone}.zone";']
    key, addresses = _key(context), _addresses(context)
    if key is None or not addresses:
        return (file, config("named", f"{zone}.conf", f"{MANAGED}\n{statement(zone, lines)}"))
    lines += (*in_parts(zone), *given_to(zone, addresses))
    options = f"{MANAGED}\n{with_key(zone)}\n{statement(zone, lines)}"
    return (file, key, config("named", f"{zone}.conf", options, requires=(key.key,)))


def _addresses(context: Context) -> list[str]:
    """Where the secondaries are that are to have the zone, as far as that is known."""
    known = (context.plane.addresses.get(host, "") for host in context.plane.secondaries)
    return [address for address in known if address]


def _key(context: Context) -> Resource | None:
    document = context.document
    if not document.sealed or CHECKSUM not in document.kept:
        return None
    secret, checksum = Secret(document.sealed, KEY), str(document.kept[CHECKSUM])
    return private_config("named", key_name(document.name), secret, checksum, group="bind")
