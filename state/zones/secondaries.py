"""Which hosts are secondaries of which: they have a copy of every zone of their primaries (RFC 1034, section 4.3.5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from sqlalchemy import Connection, select, update

from state.kinds import EVERY
from state.reading import from_row
from state.statuses import wake
from state.tables import documents, targets
from state.targets import Target, list_targets
from state.zones.copies import copies, follow_all


@dataclass(frozen=True, slots=True)
class NameServer:
    """What an inventory says of a host as a name server: its secondaries, and where other name servers find it.

    Without an `address` it is the one that it is managed at, or else one that is found on it.
    """

    secondaries: tuple[str, ...] = ()
    address: str = ""


def assign(connection: Connection, servers: Mapping[str, NameServer]) -> frozenset[str]:
    """Makes the secondaries of each listed host what `servers` says; the hosts of which they were others.

    Their zones are called for a look, and have the copies that they should have, all in this transaction.
    """
    changed = set()
    for target in list_targets(connection):
        server = servers.get(target.name, NameServer())
        if (target.secondaries, target.dns_address) == (server.secondaries, server.address):
            continue
        row = targets.c.name == target.name
        values = {"secondaries": list(server.secondaries), "dns_address": server.address}
        connection.execute(update(targets).where(row).values(**values))
        changed.add(target.name)
    known = {target.name: target.secondaries for target in list_targets(connection)}
    primaries = {name for name, hosts in known.items() if name in changed or changed & set(hosts)}
    for primary in sorted(primaries):
        _again(connection, primary)
    return frozenset(changed)


def _again(connection: Connection, primary: str) -> None:
    """Calls for a look at each zone of a host, with the copies that it should have."""
    kinds = [kind.name for kind in EVERY.values() if kind.copied]
    mine = (documents.c.target == primary, documents.c.kind.in_(kinds), documents.c.deleted_at.is_(None))
    zones = [from_row(row) for row in connection.execute(select(documents).where(*mine)).mappings()]
    follow_all(connection, zones)
    copied = copies(connection, (zone.name for zone in zones))
    wake(connection, [each.uid for each in (*zones, *copied)])


def address_of(target: Target) -> str:
    """Where other name servers find the host; empty as long as that is not known."""
    named = (target.dns_address, target.address)
    literal = next((each for each in named if _is_address(each)), "")
    return literal or next(iter((*target.facts.ipv4, *target.facts.ipv6)), "")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
