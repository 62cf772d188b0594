"""Asking the DNS what is published of zones: their DS records in the zone above, and the serial that they have."""

from collections.abc import Sequence
from typing import Any, cast

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rdataclass
import dns.rdatatype
import dns.resolver
from dns.rdtypes.ANY.SOA import SOA

from state.dns.signing import Seen

SECONDS = 5.0


def look_above(servers: Sequence[str], zone: str) -> Seen:
    """The DS records that are published for a zone, as these servers know it (none: those of this machine)."""
    try:
        resolver = dns.resolver.Resolver(configure=not servers)
        if servers:
            resolver.nameservers = list(servers)
        answer = resolver.resolve(f"{zone}.", "DS", raise_on_no_answer=False, search=False, lifetime=SECONDS)
    except dns.resolver.NXDOMAIN as error:
        return _absent(dns.name.from_text(zone), cast("Any", error).response(dns.name.from_text(zone)))
    except (dns.exception.DNSException, ValueError, OSError) as error:
        return Seen(unknown=f"{type(error).__name__}: {error}"[:500])
    if answer.rrset is None:
        return _absent(answer.qname, answer.response)
    return Seen(tuple(sorted(str(record).upper() for record in answer.rrset)), answer.rrset.ttl)


def _absent(zone: dns.name.Name, response: dns.message.Message) -> Seen:
    """There is none, if a zone above says so: the zone itself does not know (RFC 4035, section 3.1.4.1)."""
    sayers = [rrset.name for rrset in response.authority if rrset.rdtype == dns.rdatatype.SOA]
    if any(zone.is_subdomain(name) and zone != name for name in sayers):
        return Seen()
    return Seen(
        unknown="who was asked does not know the zone above: set GHOSTCP_RESOLVERS to servers that do"
    )


def served_serial(addresses: Sequence[str], zone: str) -> int | None:
    """The serial that a name server at one of these addresses has of a zone; None when none of them tells."""
    question = dns.message.make_query(f"{zone}.", "SOA")
    for address in addresses:
        try:
            answer, _ = dns.query.udp_with_fallback(question, address, timeout=SECONDS)
        except (dns.exception.DNSException, ValueError, OSError):
            continue
        rrset = answer.get_rrset(
            answer.answer, question.question[0].name, dns.rdataclass.IN, dns.rdatatype.SOA
        )
        for record in rrset or ():
            if isinstance(record, SOA):
                return int(record.serial)
    return None
