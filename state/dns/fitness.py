"""What a record must be beside well-formed, so that name servers load its zone.

These are rules of RFC 1034, 3402, 9460 and 9461 that BIND insists on: it refuses a whole zone for one of these records.
"""

import re

from state.dns.names import APEX

NO_MAIL_ALONE = "an MX that leads to '.' says that nobody takes mail, and has no other beside it (RFC 7505)"

_SERVICES = frozenset({"HTTPS", "SVCB"})
_OF_RESOLVERS = re.compile(r"(?:_[0-9]+\.)?_dns(?:\..*)?")
_PROTOCOLS = re.compile(r'\balpn="([^"]*)"')
_PATH = re.compile(r'\b(?:key7|dohpath)="([^"]*)"')
_TEMPLATE = re.compile(r"/[^{}]*\{[?&+#./;]?([^{}]*)\}[^{}]*")
_PART = r"(?:[^\\{0}]|\\.)*"
_TWICE = re.compile(r"[*+?}][*+?{]|\(\?|\\[A-Za-z0-9]")


def misplaced(name: str, record_type: str, text: str) -> str:
    """Why a record of this type cannot stand at this name (relative to its zone); empty when it can.

    `text` is what it says, in the form of a zone file; empty when that is not known.
    """
    if name == APEX and record_type in {"CNAME", "DS"}:
        return f"a {record_type} cannot stand at the zone's own name"
    if name.startswith("*") and record_type == "NS":
        return "a wildcard cannot be delegated"
    if record_type == "SVCB" and text and _OF_RESOLVERS.fullmatch(name):
        return _no_resolver(text)
    return ""


def no_mail(record_type: str, text: str) -> bool:
    """Whether a record says that nobody takes mail here (RFC 7505)."""
    return record_type == "MX" and text.endswith(" .")


def unusable(record_type: str, text: str) -> str:
    """What is wrong with what a record says, in the form of a zone file; empty when nothing is."""
    if record_type in _SERVICES:
        path = _PATH.search(text)
        template = path and _TEMPLATE.fullmatch(path[1])
        if path and (template is None or "dns" not in template[1].split(",")):
            return "has a dohpath that is no template such as '/dns-query{?dns}' (RFC 9461, section 5)"
    return _no_rewriting(text) if record_type == "NAPTR" else ""


def _no_resolver(text: str) -> str:
    """What a name server's service lacks (RFC 9461, section 4)."""
    protocols = _PROTOCOLS.search(text)
    if protocols is None:
        return "at '_dns', an SVCB says its protocols: alpn=dot"
    if re.search(r"\bh[23]\b", protocols[1]) and not _PATH.search(text):
        return "at '_dns', an SVCB with HTTP says its path: key7=\"/dns-query{?dns}\""
    return ""


def _no_rewriting(text: str) -> str:
    """What is wrong with the regular expression of a NAPTR (RFC 3402, section 3.2)."""
    words = "has no regular expression such as '!^.*$!sip:info@example.com!'"
    expression = re.findall(r'"((?:[^"\\]|\\.)*)"', text)[2]
    plain = re.sub(r"\\(\\|\")", r"\1", expression)
    if not plain:
        return ""
    mark = re.escape(plain[0])
    match = re.fullmatch(f"{mark}({_PART.format(mark)}){mark}({_PART.format(mark)}){mark}i?", plain)
    if plain[0] in "0123456789\\i" or match is None or _TWICE.search(match[1]):
        return words
    try:
        groups = re.compile(match[1]).groups
    except re.error:
        return words
    return words if any(int(number) > groups for number in re.findall(r"\\([0-9])", match[2])) else ""
