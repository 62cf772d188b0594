"""Where a record can stand, so that name servers load its zone.

These are rules of RFC 1034 and 9461 that BIND insists on: it refuses a whole zone for one of these records.
"""

import re

from state.dns.names import APEX
from state.dns.services import no_resolver

PARTICULAR = frozenset({"CNAME", "DS", "MX", "NS", "SVCB"})
"""The types whose records cannot stand everywhere, or beside all others."""
NO_MAIL_ALONE = "an MX that leads to '.' says that nobody takes mail, and has no other beside it (RFC 7505)"

_OF_RESOLVERS = re.compile(r"(?:_[0-9]+\.)?_dns(?:\..*)?")


def misplaced(name: str, record_type: str, text: str) -> str:
    """Why a record of this type cannot stand at this name (relative to its zone); empty when it can.

    `text` is what it says, in the form of a zone file; empty when that is not known.
    """
    if name == APEX and record_type in {"CNAME", "DS"}:
        return f"a {record_type} cannot stand at the zone's own name"
    if name.startswith("*") and record_type == "NS":
        return "a wildcard cannot be delegated"
    if record_type == "SVCB" and text and _OF_RESOLVERS.fullmatch(name):
        return no_resolver(text)
    return ""


def no_mail(record_type: str, text: str) -> bool:
    """Whether a record says that nobody takes mail here (RFC 7505)."""
    return record_type == "MX" and text.endswith(" .")
