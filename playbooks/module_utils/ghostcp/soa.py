"""Asking a name server for the starts of zones, and for their keys, many at once (RFC 1035, section 4)."""

import socket
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

HERE, PORT = "127.0.0.1", 53
WINDOW, SECONDS = 200, 1.0
_SOA, _RRSIG, _DNSKEY, _IN = 6, 46, 48, 1
_T = TypeVar("_T")
_SIGNED_TOO = struct.pack("!BHHIH", 0, 41, 4096, 0x8000, 0)
"""The pseudo-record that asks for signatures as well (RFC 3225)."""


@dataclass(frozen=True, slots=True)
class Start:
    """What is served of a zone: its serial (None: the zone is not served), the tags of the keys that signed it, and the
    signatures of just this start, of which no other version of the zone has the same."""

    serial: int | None = None
    tags: frozenset[int] = frozenset()
    signatures: frozenset[bytes] = field(default=frozenset(), compare=False)


def serials(zones: Sequence[str], server: str = HERE) -> Mapping[str, int | None]:
    """The serial of each zone, as `starts` has it."""
    return {zone: start.serial for zone, start in starts(zones, server).items()}


def starts(zones: Sequence[str], server: str = HERE) -> Mapping[str, Start]:
    """The start of each zone; nothing where nobody answered in time."""
    return _answers(zones, server, _SOA, start_in)


def keys(zones: Sequence[str], server: str = HERE) -> Mapping[str, frozenset[int]]:
    """The tags of the keys of each zone (RFC 4034, appendix B), none of one without signatures; nothing where nobody
    answered in time."""
    return _answers(zones, server, _DNSKEY, keys_in)


def _answers(zones: Sequence[str], server: str, kind: int, read: Callable[[bytes], _T]) -> dict[str, _T]:
    """A server that answers none of many questions is not asked more of them."""
    found: dict[str, _T] = {}
    with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(SECONDS)
        try:
            sock.connect((server, PORT))
        except OSError:
            return found
        for start in range(0, len(zones), WINDOW):
            some = _some(sock, zones[start : start + WINDOW], kind, read)
            found |= some
            if not some:
                break
    return found


def _some(sock: socket.socket, zones: Sequence[str], kind: int, read: Callable[[bytes], _T]) -> dict[str, _T]:
    """Answers of an earlier window are told apart by their question."""
    waiting = {question(zone, kind): zone for zone in zones}
    found: dict[str, _T] = {}
    try:
        for number, asked in enumerate(waiting):
            sock.send(struct.pack("!6H", number, 0, 1, 0, 0, 1) + asked + _SIGNED_TOO)
        while waiting:
            answer = sock.recv(4096)
            zone = waiting.pop(_asked(answer), None)
            if zone is not None:
                found[zone] = read(answer)
    except OSError:
        return found
    return found


def question(zone: str, kind: int = _SOA) -> bytes:
    """The question for a zone's start of authority, or for another type of record."""
    labels = (bytes([len(label)]) + label.encode("ascii") for label in zone.split("."))
    return b"".join(labels) + b"\0" + struct.pack("!2H", kind, _IN)


def ahead(one: int, other: int) -> bool:
    """Whether a serial comes after another one (RFC 1982, section 3.2)."""
    return 0 < (one - other) % 2**32 < 2**31


def _asked(answer: bytes) -> bytes:
    end = answer.find(b"\0", 12) + 5
    return answer[12:end]


def start_in(answer: bytes) -> Start:
    """What an answer says of the zone that was asked for."""
    serial, tags, signatures = None, set(), set()
    try:
        for kind, at, length in _records(answer):
            if kind == _SOA:
                serial = int(struct.unpack_from("!I", answer, _behind(answer, _behind(answer, at)))[0])
            elif kind == _RRSIG and struct.unpack_from("!H", answer, at)[0] == _SOA:
                tags.add(int(struct.unpack_from("!H", answer, at + 16)[0]))
                signatures.add(answer[at : at + length])
    except (struct.error, IndexError):
        return Start(serial)
    return Start(serial, frozenset(tags), frozenset(signatures))


def keys_in(answer: bytes) -> frozenset[int]:
    """The tags of the keys in an answer."""
    try:
        return frozenset(_tag(answer[at : at + n]) for kind, at, n in _records(answer) if kind == _DNSKEY)
    except (struct.error, IndexError):
        return frozenset()


def _tag(key: bytes) -> int:
    total = sum(byte if place & 1 else byte << 8 for place, byte in enumerate(key))
    return (total + (total >> 16)) & 0xFFFF


def _records(answer: bytes) -> Iterator[tuple[int, int, int]]:
    """The type of each record of an answer, where its data begins, and how long that is."""
    count = struct.unpack_from("!H", answer, 6)[0]
    at = 12 + len(_asked(answer))
    for _ in range(count):
        at = _behind(answer, at)
        kind, _class, _ttl, length = struct.unpack_from("!2HIH", answer, at)
        at += 10
        yield kind, at, length
        at += length


def _behind(message: bytes, at: int) -> int:
    """The place behind a name, which ends at its root or at a pointer."""
    while True:
        length = message[at]
        if length >= 0xC0:
            return at + 2
        if length == 0:
            return at + 1
        at += 1 + length
