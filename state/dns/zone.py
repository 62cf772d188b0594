"""A zone's records put together: what may stand beside what, and the text of the zone file (RFC 1035, section 5)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from state.compiling import Reason
from state.dns.authority import Start
from state.dns.fitness import NO_MAIL_ALONE, PARTICULAR, misplaced, no_mail
from state.dns.glue import by_wildcard
from state.dns.names import APEX, above, owner_name, place_of
from state.dns.serial import next_serial
from state.dns.signing import serial_of
from state.dns.sizes import LARGEST_SET, MOST_OF_A_TYPE, has_room, oversized
from state.dns.values import PRIORITISED, TYPES, rdata
from state.resource import sha256

_ADDRESSES = frozenset({"A", "AAAA"})
LACKS = frozenset({"GlueMissing", "NotDelegated"})
LONGEST_TTL = 2**31 - 1
_FIELDS: Mapping[str, type] = {"name": str, "record_type": str, "value": str, "priority": int, "ttl": int}
_KINDS = tuple(_FIELDS.values())
_MANAGED = "; Managed by GhostCP: edits here are found and undone."


class Entry(NamedTuple):
    """A record as it is served; `uid` is its document, empty for those of a template."""

    name: str
    type: str
    ttl: int
    text: str
    uid: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.ttl} IN {self.type} {self.text}"


def of_values(values: Mapping[str, Any], zone: str, uid: str = "") -> Entry:
    """The record that a document's spec says. Raises ValueError when it says none, whatever it has instead."""
    found: tuple[Any, ...] = tuple(map(values.get, _FIELDS))
    if tuple(map(type, found)) != _KINDS:
        field = next(
            name for name, value in zip(_FIELDS, found, strict=True) if type(value) is not _FIELDS[name]
        )
        raise ValueError(f"its {field} is missing, or of another kind: write it again")
    name, record_type, value, priority, ttl = found
    if record_type not in TYPES:
        raise ValueError(f"{record_type!r} is no type of a record that is served here")
    if not 0 <= ttl <= LONGEST_TTL:
        raise ValueError(f"its ttl is not within 0 and {LONGEST_TTL}")
    return Entry(owner_name(name, zone), record_type, ttl, rdata(record_type, value, priority, zone), uid)


def rdata_of(values: Mapping[str, Any], zone: str) -> str:
    """What the record of a document's spec says, in the form of a zone file. Raises ValueError."""
    return rdata(values["record_type"], values["value"], values["priority"], zone)


def of_template(text: str, zone: str, ttl: int) -> list[Entry]:
    """The records that a template made, each once, one a line: name, type, value. Raises ValueError for others."""
    entries: dict[Entry, None] = {}
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith(";"):
            try:
                entries[_of_line(line, zone, ttl)] = None
            except ValueError as error:
                raise ValueError(f"the template's line {line[:80]!r}: {error}") from None
    return list(entries)


@lru_cache(maxsize=1 << 17)
def _of_line(line: str, zone: str, ttl: int) -> Entry:
    words = line.split(None, 2)
    if len(words) < 3:
        raise ValueError("is no record: a name, a type and a value are")
    name, record_type, value = words[0], words[1].upper(), words[2]
    if record_type not in TYPES:
        raise ValueError(f"{record_type!r} is no type of a record that is served here")
    priority, rest = "0", value
    if record_type in PRIORITISED:
        priority, rest = (*value.split(None, 1), "")[:2]
    if not priority.isdecimal():
        raise ValueError(f"a record of type {record_type} begins with a priority")
    return Entry(owner_name(name, zone), record_type, ttl, rdata(record_type, rest, int(priority), zone))


def beside(written: Sequence[Entry], template: Iterable[Entry]) -> list[Entry]:
    """What was written, and of a template what that does not replace: a name and type, or all of a name by a CNAME."""
    types: dict[str, set[str]] = {}
    for entry in written:
        types.setdefault(entry.name, set()).add(entry.type)
    kept = [
        entry
        for entry in template
        if not types.get(entry.name, set()) & {entry.type, "CNAME"}
        and not (entry.type == "CNAME" and entry.name in types)
    ]
    return [*written, *kept]


def sort_out(entries: Sequence[Entry], zone: str) -> tuple[list[Entry], dict[str, Reason]]:
    """The records that can be served together, and why the others (by uid) cannot."""
    names: dict[str, list[Entry]] = {}
    for entry in entries:
        names.setdefault(entry.name, []).append(entry)
    wrong: dict[str, Reason] = {}
    kept, seen = [], set[tuple[str, str, str]]()
    for entry in entries:
        key = (entry.name, entry.type, entry.text)
        reason = _fault(entry, names[entry.name]) if entry.type in PARTICULAR else None
        reason = reason or (_TWICE if key in seen else None)
        if reason:
            wrong[entry.uid] = reason
        else:
            seen.add(key)
            kept.append(entry)
    kept = _fitting(kept, wrong)
    lacking = _lacking(kept, zone)
    wrong |= {entry.uid: reason for entry, reason in lacking.items()}
    served = [entry for entry in kept if entry not in lacking] if lacking else kept
    return served, wrong


def _fitting(kept: list[Entry], wrong: dict[str, Reason]) -> list[Entry]:
    """The records without those for which their name has no room; why, is put to what is `wrong`."""
    if len(kept) <= MOST_OF_A_TYPE and has_room([entry.text for entry in kept]):
        return kept
    sets: dict[tuple[str, str], list[Entry]] = {}
    for entry in kept:
        sets.setdefault((entry.name, entry.type), []).append(entry)
    out = set[Entry]()
    for (_, record_type), entries in sets.items():
        while len(entries) > MOST_OF_A_TYPE or oversized(record_type, (entry.text for entry in entries)):
            out.add(entries.pop())
    wrong |= {entry.uid: TOO_MUCH for entry in out}
    return [entry for entry in kept if entry not in out] if out else kept


def _lacking(kept: Sequence[Entry], zone: str) -> dict[Entry, Reason]:
    """The records that need another one that is not there: name servers their addresses, a DS a name server."""
    servers = [entry for entry in kept if entry.type == "NS"]
    found = _glueless(kept, servers, zone)
    delegated = {entry.name for entry in servers if entry not in found}
    return found | {e: _UNDELEGATED for e in kept if e.type == "DS" and e.name not in delegated}


TOO_MUCH = Reason(
    "TooMuch",
    f"at most {MOST_OF_A_TYPE} records are of a name and type, with {LARGEST_SET} bytes in all: delete some",
)
_UNDELEGATED = Reason(
    "NotDelegated", "a DS stands where the zone is delegated: add a record of type NS at its name first"
)
_TWICE = Reason("Duplicate", "the same record is in the zone twice: delete one")


def _fault(entry: Entry, of_name: Sequence[Entry]) -> Reason | None:
    """What is wrong with a record among those of its name."""
    if entry.type == "CNAME" and len(of_name) > 1:
        return Reason("NotAlone", "a CNAME stands alone at its name")
    if no_mail(entry.type, entry.text) and any(
        e.type == "MX" and not no_mail(e.type, e.text) for e in of_name
    ):
        return Reason("NotAlone", NO_MAIL_ALONE)
    wrong = misplaced(entry.name, entry.type, entry.text)
    return Reason("Misplaced", wrong) if wrong else None


def _glueless(kept: Sequence[Entry], servers: Sequence[Entry], zone: str) -> dict[Entry, Reason]:
    """The name servers that cannot be found: in the zone, without an address there (RFC 1034, section 4.2.1)."""
    addressed = {entry.name for entry in kept if entry.type in _ADDRESSES}
    inside = [entry for entry in servers if f".{entry.text}".endswith(f".{zone}.")]
    unknown = {entry: place for entry in inside if (place := place_of(entry.text, zone)) not in addressed}
    if not unknown:
        return {}
    there = {up for entry in kept for up in above(entry.name)}
    cuts = {entry.name for entry in servers} - {APEX}
    words = "the name server {} is in the zone and has no address: add its A or AAAA"
    return {
        entry: Reason("GlueMissing", words.format(entry.text))
        for entry, place in unknown.items()
        if not by_wildcard(place, addressed, there, cuts)
    }


@dataclass(frozen=True, slots=True)
class Published:
    """A zone as it is to be served: its file, its serial, and the digest of all but the serial."""

    text: str
    serial: int
    body: str


def publish(
    zone: str,
    start: Start,
    entries: Sequence[Entry],
    kept: Mapping[str, Any],
    day: date,
    tail: Sequence[str] = (),
) -> Published:
    """The zone with the serial it has (`kept`), or with the next one when something else differs."""
    lines = _lines(entries)
    body = sha256(_file(zone, start, 0, lines, _MANAGED, tail))[:32]
    serial = int(kept.get("serial", 0))
    if not serial or kept.get("body") != body:
        serial = next_serial(serial_of(kept), day)
    return Published(_file(zone, start, serial, lines, _MANAGED, tail), serial, body)


def zone_file(
    zone: str,
    start: Start,
    serial: int,
    entries: Sequence[Entry],
    head: str = _MANAGED,
    tail: Sequence[str] = (),
) -> str:
    """The text of the zone file: the start of authority, its name servers, and the rest by name and type.

    `head` is its first line, `tail` the last ones.
    """
    return _file(zone, start, serial, _lines(entries), head, tail)


def _file(zone: str, start: Start, serial: int, lines: Iterable[str], head: str, tail: Sequence[str]) -> str:
    soa = f"{start.primary} {start.contact} {serial} {start.refresh} {start.retry} {start.expire} {start.minimum}"
    return "\n".join((head, f"$ORIGIN {zone}.", f"@ {start.minimum} IN SOA {soa}", *lines, *tail, ""))


def _lines(entries: Sequence[Entry]) -> list[str]:
    """The records, name servers first and the rest by name and type, each with the least time to live of its set."""
    ttls: dict[tuple[str, str], int] = {}
    for entry in entries:
        key = (entry.name, entry.type)
        ttls[key] = min(entry.ttl, ttls.get(key, entry.ttl))
    ordered = sorted(entries, key=lambda e: (e.name != APEX, e.name, e.type != "NS", e.type, e.text))
    return [f"{e.name} {ttls[(e.name, e.type)]} IN {e.type} {e.text}" for e in ordered]
