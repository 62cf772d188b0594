"""Zone files as others write them: every record and every fault of a text (RFC 1035, section 5; RFC 2308)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import dns.exception
import dns.rdatatype
import dns.ttl

from state.dns.authority import Start, read_start
from state.dns.generate import generated
from state.dns.names import APEX, absolute, owner_name, target_name
from state.dns.splitting import Piece, pieces
from state.dns.values import PRIORITISED, TYPES, of_file, rdata, target_place
from state.dns.zone import LONGEST_TTL, Entry

MOST_RECORDS, MOST_FAULTS = 10_000, 100
MOST_LINES = 5 * MOST_RECORDS
"""Of a zone that is signed, each record may have a signature, a proof that there is no other, and that one's."""
DEFAULT_TTL = 3600
_LONGEST_GENERATED, _LARGEST_PRIORITY = 1000, 65535
_SIGNING = frozenset("RRSIG NSEC NSEC3 NSEC3PARAM DNSKEY CDS CDNSKEY ZONEMD".split())
_CLASSES = frozenset({"CH", "HS", "CS", "NONE", "ANY"})


@dataclass(frozen=True, slots=True)
class Line:
    """A record of a zone file at its line (from 1), with its value as a document has it."""

    number: int
    entry: Entry
    value: str
    priority: int


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be said of a line: what is wrong with it, or why what it has is left out."""

    number: int
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class MasterFile:
    """What a zone file has: its records, each once, its start of authority and the serial, and what is to be said."""

    records: tuple[Line, ...]
    start: Start | None
    start_number: int
    serial: int
    left_out: tuple[Note, ...]
    faults: tuple[Note, ...]


def read_master(text: str, zone: str) -> MasterFile:
    """The zone file of a zone, which is its origin at first. Nothing is raised: what is wrong is among the faults."""
    reader = _Reader(zone, f"{zone}.")
    for piece in pieces(text.removeprefix("\ufeff").replace("\r\n", "\n")):
        reader.take(piece)
        if reader.full():
            most = f"{MOST_RECORDS} records, {MOST_LINES} lines and {MOST_FAULTS} faults"
            words = f"there is more: {most} are read at a time"
            reader.faults.append(Note(piece.number, "", words))
            break
    if not reader.records and not reader.faults and reader.start is None:
        reader.faults.append(Note(1, "", "there is no record in it"))
    return MasterFile(
        tuple(reader.records.values()),
        reader.start,
        reader.start_number,
        reader.serial,
        (*_signing(reader), *reader.left_out),
        tuple(reader.faults),
    )


@dataclass(slots=True)
class _Reader:
    """How far the reading is: the origin, the last owner and the times to live, and what was found."""

    zone: str
    origin: str
    owner: str = ""
    default_ttl: int | None = None
    last_ttl: int | None = None
    start: Start | None = None
    start_number: int = 0
    serial: int = 0
    lines: int = 0
    signing: dict[str, tuple[int, int]] = field(default_factory=dict)
    records: dict[tuple[str, str, str], Line] = field(default_factory=dict)
    left_out: list[Note] = field(default_factory=list)
    faults: list[Note] = field(default_factory=list)

    def take(self, piece: Piece) -> None:
        if piece.fault:
            self.faults.append(Note(piece.number, " ".join(piece.words)[:200], piece.fault))
            return
        try:
            first = piece.words[0].upper()
            if first.startswith("$") and not piece.inherits:
                _DIRECTIVES.get(first, _unknown)(self, piece)
            else:
                _record(self, piece.number, piece.words, inherits=piece.inherits)
        except (ValueError, dns.exception.DNSException) as error:
            self.faults.append(Note(piece.number, " ".join(piece.words)[:200], str(error)))

    def full(self) -> bool:
        """Whether more was found, or read, than is taken at a time."""
        found = len(self.records) + len(self.left_out)
        return len(self.faults) > MOST_FAULTS or found > MOST_RECORDS or self.lines > MOST_LINES

    def leave_out(self, number: int, text: str, reason: str) -> None:
        self.left_out.append(Note(number, text[:200], reason))


def _origin(reader: _Reader, piece: Piece) -> None:
    if len(piece.words) != 2:
        raise ValueError("an $ORIGIN is one name")
    reader.origin = target_name(absolute(piece.words[1], reader.origin), reader.zone)


def _default_ttl(reader: _Reader, piece: Piece) -> None:
    if len(piece.words) != 2:
        raise ValueError("a $TTL is one time")
    reader.default_ttl = _ttl(piece.words[1])


def _generate(reader: _Reader, piece: Piece) -> None:
    if sum(map(len, piece.words)) > _LONGEST_GENERATED:
        raise ValueError(f"a $GENERATE has at most {_LONGEST_GENERATED} characters")
    owner = reader.owner  # which lines inherit that come after it, as BIND has it
    try:
        for words in generated(piece.words[1:], MOST_RECORDS):
            if reader.full():
                break
            _record(reader, piece.number, words, inherits=False)
    finally:
        reader.owner = owner


def _include(_reader: _Reader, _piece: Piece) -> None:
    raise ValueError("other files are not read: put its text in the place of $INCLUDE")


def _unknown(_reader: _Reader, piece: Piece) -> None:
    raise ValueError(f"there is no {piece.words[0]}: $ORIGIN, $TTL and $GENERATE are read")


_DIRECTIVES: Mapping[str, Callable[[_Reader, Piece], None]] = {
    "$ORIGIN": _origin,
    "$TTL": _default_ttl,
    "$GENERATE": _generate,
    "$INCLUDE": _include,
}


def _record(reader: _Reader, number: int, words: Sequence[str], *, inherits: bool) -> None:
    rest = list(words)
    reader.lines += 1
    if not inherits:
        reader.owner = absolute(rest.pop(0), reader.origin)
    if not reader.owner:
        raise ValueError("begins with a space, and no name is there before it")
    ttl = _leading_ttl(rest)
    if not rest:
        raise ValueError("has no type")
    record_type, name = rest.pop(0).upper(), owner_name(reader.owner, reader.zone)
    shown = " ".join((name, record_type, *rest))
    reader.last_ttl, stated = reader.last_ttl if ttl is None else ttl, _stated(reader, ttl)
    if record_type == "SOA":
        _start(reader, number, name, rest, stated)
    elif record_type in _SIGNING:
        first, many = reader.signing.get(record_type, (number, 0))
        reader.signing[record_type] = (first, many + 1)
    elif reason := _elsewhere(record_type):
        reader.leave_out(number, shown, reason)
    else:
        lasting = DEFAULT_TTL if stated is None else stated
        line = _line(reader, number, Entry(name, record_type, lasting, ""), rest)
        if reader.records.setdefault((name, record_type, line.entry.text), line) is not line:
            reader.leave_out(number, shown, "the same record is there before")


def _start(reader: _Reader, number: int, name: str, words: Sequence[str], stated: int | None) -> None:
    """Where nobody states a time to live, neither before it nor by it, its own last one is that of the file, as BIND
    has it."""
    start, serial = read_start(words, reader.origin, reader.zone)
    if name != APEX or reader.start not in {None, start}:
        raise ValueError("a zone has one SOA, at its own name")
    reader.start, reader.serial, reader.start_number = start, serial, reader.start_number or number
    if stated is None:
        reader.default_ttl = start.minimum


def _line(reader: _Reader, number: int, entry: Entry, words: list[str]) -> Line:
    priority, place = 0, target_place(entry.type, words)
    if place is not None:
        words[place] = absolute(words[place], reader.origin)
    if entry.type in PRIORITISED:
        if not words or not words[0].isdecimal() or int(words[0]) > _LARGEST_PRIORITY:
            raise ValueError(f"a record of type {entry.type} begins with a priority, 0 to 65535")
        priority = int(words.pop(0))
    text = rdata(entry.type, of_file(entry.type, " ".join(words)), priority, reader.zone)
    value = text.partition(" ")[2] if entry.type in PRIORITISED else text
    return Line(number, entry._replace(text=text), value, priority)


def _leading_ttl(words: list[str]) -> int | None:
    """Takes the time to live and the class, which stand in either order, from the words."""
    ttl = None
    while words:
        if words[0].upper() in _CLASSES:
            raise ValueError(f"is of the class {words[0]}: only IN is served")
        if words[0][0].isdecimal() and ttl is None:
            ttl = _ttl(words[0])
        elif words[0].upper() != "IN":
            break
        del words[0]
    return ttl


def _ttl(word: str) -> int:
    found = dns.ttl.from_text(word)
    if found > LONGEST_TTL:
        raise ValueError(f"{word} is too long a time: at most {LONGEST_TTL} seconds")
    return found


def _stated(reader: _Reader, ttl: int | None) -> int | None:
    """Its own time to live, that of the file, or the last one (RFC 1035, RFC 2308)."""
    return next((each for each in (ttl, reader.default_ttl, reader.last_ttl) if each is not None), None)


def _signing(reader: _Reader) -> list[Note]:
    """What belongs to signatures, of which there are many, told once for each type."""
    words = "signatures, and what belongs to them, are made by who serves the zone"
    return [
        Note(first, f"{many} of type {record_type}", words)
        for record_type, (first, many) in reader.signing.items()
    ]


def _elsewhere(record_type: str) -> str:
    """Why a record of this type is not taken over; empty for those that are. Raises ValueError for what is no type."""
    if record_type in TYPES:
        return ""
    try:
        dns.rdatatype.from_text(record_type)
    except dns.exception.DNSException:
        raise ValueError(f"{record_type!r} is no type of a record") from None
    return f"records of type {record_type} are not served here"
