"""DnsRecord: a record of a zone: a name, a type and a value (RFC 1035, section 3.2)."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import Field

from state.compiling import Related
from state.dns.fitness import NO_MAIL_ALONE, misplaced, no_mail
from state.dns.names import APEX, owner_name
from state.dns.sizes import oversized
from state.dns.values import PRIORITISED, has_remark
from state.dns.zone import TOO_MUCH, of_values, rdata_of
from state.document import Document
from state.kind import Kind, PartOf, Values
from state.names import host_name
from state.resource import record_set_key
from state.spec import Completed, Spec

_SERVERS = frozenset({"NS", "A", "AAAA", "CNAME", "DS"})
_LOCAL = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


class DnsRecord(Spec):
    """A name is relative to its zone. What a record leads to is, too, when it has no dot in it; `@` is the zone.

    A name server within the zone needs its address there first, and a DS its NS; what is needed cannot be taken away.
    """

    name: str = Field(APEX, max_length=1024, description="Its name in the zone; `@` is the zone's own.")
    record_type: Literal[
        "A", "AAAA", "CNAME", "MX", "TXT", "NS", "SRV", "CAA", "PTR", "TLSA", "DS", "SSHFP", "NAPTR", "HTTPS", "SVCB"
    ] = Field(description="Its type.")  # fmt: skip
    value: str = Field(
        min_length=1,
        max_length=65535,
        description="What it says, as in a zone file; without the priority of MX and SRV. A text may be of any length.",
    )
    ttl: int = Field(3600, ge=0, le=2**31 - 1, description="For how many seconds it may be kept.")
    priority: Annotated[int, Completed()] = Field(
        ge=0, le=65535, description="Of MX and SRV, which need one; 0 for all others."
    )
    is_active: bool = Field(True, description="Whether it is served.")


def document_name(value: str) -> str:
    """A word and the zone's name: ``www-a.example.com``. Raises ValueError."""
    word, _, zone = value.partition(".")
    if not _LOCAL.fullmatch(word) or not zone:
        raise ValueError("must be 1-63 of a-z, 0-9, '_' and '-', a dot, and the name of the zone")
    name = f"{word}.{host_name(zone)}"
    if len(name) > 253:
        raise ValueError("is too long")
    return name


def _names(values: Values, zone: str) -> Iterator[str]:
    """Readable names that depend on nothing but what the record says; numbered where that was said before."""
    told = [str(values.get(name, "")) for name in ("name", "record_type", "value", "priority")]
    word = re.sub(r"[^a-z0-9]+", "-", told[0].lower().replace("*", "any")).strip("-")[:24] or "apex"
    kind = re.sub(r"[^a-z0-9]", "", told[1].lower())[:8]
    mark = sha256("\0".join(told).encode(errors="replace")).hexdigest()[:8]
    number = 1
    while True:
        yield f"{word}-{kind}-{mark}{f'-{number}' if number > 1 else ''}.{zone}"
        number += 1


def _complete(values: Values, name: str, _owner: str, _related: Related, _previous: Spec | None) -> Values:
    zone, found = _zone(name), dict(values)
    if isinstance(found.get("record_type"), str):
        found["record_type"] = found["record_type"].upper()
    if isinstance(found.get("name"), str):
        with suppress(ValueError):  # which the check tells
            found["name"] = owner_name(found["name"], zone)
    if found.get("priority") is None:
        found.pop("priority", None)
        if str(found.get("record_type")) not in PRIORITISED:
            found["priority"] = 0
    return found


def _unkept(before: Values, given: Values) -> frozenset[str]:
    """The priority, when only one of the two types has one."""
    types = (str(each.get("record_type", "")).upper() for each in (before, {**before, **given}))
    return frozenset({"priority"} if len({each in PRIORITISED for each in types}) > 1 else ())


def _check(name: str, _owner: str, spec: Spec) -> list[tuple[str, str]]:
    assert isinstance(spec, DnsRecord)
    zone, faults = _zone(name), []
    try:
        owner_name(spec.name, zone)
    except ValueError as error:
        faults.append(("name", str(error)))
    text = ""
    try:
        text = rdata_of(vars(spec), zone)
    except ValueError as error:
        faults.append(("value", str(error)))
    if text and has_remark(spec.record_type, spec.value):
        faults.append(
            ("value", "what follows a ';' would be a remark: leave it out, or put it in quotation marks")
        )
    if spec.record_type == "CNAME" and text == f"{spec.name}.{zone}.":
        faults.append(("value", "leads to itself: name another one"))
    wrong = misplaced(spec.name, spec.record_type, text)
    if wrong:
        faults.append(("record_type", wrong))
    return faults


def _clashes(document: Document, others: Sequence[Document]) -> list[tuple[str, str]]:
    """What is wrong with a record beside others of its name."""
    spec = document.spec
    assert isinstance(spec, DnsRecord)
    if not spec.is_active:
        return []
    beside = [each.spec for each in others if isinstance(each.spec, DnsRecord) and _served(each)]
    if beside and "CNAME" in {spec.record_type, *(each.record_type for each in beside)}:
        return [("record_type", f"a CNAME stands alone at its name, and {spec.name!r} has others")]
    said = _said(document.name, spec)
    others_said = [_said(document.name, each) for each in beside]
    if said in others_said:
        return [("value", "the zone has just this record already")]
    if (
        spec.record_type == "MX"
        and len({no_mail(*each) for each in (said, *others_said) if each[0] == "MX"}) > 1
    ):
        return [("value", NO_MAIL_ALONE)]
    same = [text for record_type, text in (said, *others_said) if record_type == spec.record_type]
    if oversized(spec.record_type, same):
        return [("value", TOO_MUCH.message)]
    return []


def _served(document: Document) -> bool:
    """Whether it is switched on and a record: what somebody spoiled in the database is served to nobody."""
    try:
        of_values(vars(document.spec), _zone(document.name))
    except ValueError:
        return False
    return getattr(document.spec, "is_active", False) is True


def _weighs(before: Spec | None, after: Spec | None) -> bool:
    """Whether a zone may lack a name server, or the address of one, by this write of a record."""
    was, now = _of_servers(before), _of_servers(after)
    return was != now and (was is not None or (now is not None and now[1] in {"NS", "CNAME", "DS"}))


def _of_servers(spec: Spec | None) -> tuple[str, str, str] | None:
    """What it has to do with name servers: a name and a type, and where it leads to."""
    if not isinstance(spec, DnsRecord) or spec.is_active is not True:
        return None
    name, record_type, value = (str(vars(spec).get(each, "")) for each in ("name", "record_type", "value"))
    if record_type not in _SERVERS:
        return None
    return name, record_type, "" if record_type in {"A", "AAAA"} else value


def _appears(before: Spec | None, after: Spec | None) -> bool:
    """Whether something is served at a name by this write of a record that was not served there before."""
    return _place(after) not in {"", _place(before)}


def _place(spec: Spec | None) -> str:
    """The name that it is served at; empty for none."""
    active = isinstance(spec, DnsRecord) and vars(spec).get("is_active") is True
    return str(vars(spec).get("name", "")) if active else ""


def as_line(name: str, values: Values) -> str:
    """A record as people read it, as a line of a zone file; what is no record as it stands."""
    try:
        return str(of_values(values, _zone(name)))
    except ValueError:
        name, ttl, record_type, value = (
            values.get(each, "?") for each in ("name", "ttl", "record_type", "value")
        )
        told = f"{name} {ttl} IN {record_type} {value}"
        return "".join(each if each.isprintable() else "\ufffd" for each in told)


def _line(name: str, values: Values) -> str:
    """The same; of one that is switched off as a remark."""
    return as_line(name, values) if values.get("is_active", True) else f"; {as_line(name, values)}"


def _said(name: str, spec: DnsRecord) -> tuple[str, str]:
    try:
        return spec.record_type, rdata_of(vars(spec), _zone(name))
    except ValueError:
        return spec.record_type, spec.value


def _set(document: Document) -> str:
    """What it is in at a provider."""
    name, record_type = (str(vars(document.spec).get(each, "")) for each in ("name", "record_type"))
    return record_set_key(_zone(document.name), name, record_type)


def _zone(name: str) -> str:
    return name.partition(".")[2]


DNS_RECORD = Kind(
    name="DnsRecord",
    plural="records",
    topic="dns.record",
    schema=DnsRecord,
    name_field="document",
    check_name=document_name,
    rank=4,
    complete=_complete,
    check=_check,
    unkept=_unkept,
    search=("name", "value"),
    host_field="name",
    line=_line,
    naming={
        "type": "string",
        "maxLength": 253,
        "description": "A word, a dot, and the name of the zone.",
        "example": "www.example.com",
    },
    examples={
        "create": {"name": "mail", "record_type": "A", "value": "192.168.1.101", "ttl": 3600, "priority": 0},
        "change": {"value": "192.168.1.102", "ttl": 300},
    },
    part_of=PartOf(
        "DnsZone",
        "zone_id",
        _zone,
        _names,
        ("name",),
        _clashes,
        _weighs,
        sets=("name", "record_type"),
        wild="name",
        appears=_appears,
        resource=_set,
    ),
)
