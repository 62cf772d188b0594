"""Asking a name server for the starts of zones, many at once (RFC 1035, section 4)."""

import socket
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

HERE, PORT = "127.0.0.1", 53
WINDOW, SECONDS = 200, 1.0
_SOA, _RRSIG, _IN = 6, 46, 1
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
    """The start of each zone; nothing where nobody answered in time.

    A server that answers none of many questions is not asked more of them.
    """
    found: dict[str, Start] = {}
    with socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(SECONDS)
        try:
            sock.connect((server, PORT))
        except OSError:
            return found
        for start in range(0, len(zones), WINDOW):
            some = _some(sock, zones[start : start + WINDOW])
            found |= some
            if not some:
                break
    return found


def _some(sock: socket.socket, zones: Sequence[str]) -> dict[str, Start]:
    """Answers of an earlier window are told apart by their question."""
    waiting = {question(zone): zone for zone in zones}
    found: dict[str, Start] = {}
    try:
        for number, asked in enumerate(waiting):
            sock.send(struct.pack("!6H", number, 0, 1, 0, 0, 1) + asked + _SIGNED_TOO)
        while waiting:
            answer = sock.recv(4096)
            zone = waiting.pop(_asked(answer), None)
            if zone is not None:
                found[zone] = start_in(answer)
    except OSError:
        return found
    return found


def question(zone: str) -> bytes:
    """The question for a zone's start of authority."""
    labels = (bytes([len(label)]) + label.encode("ascii") for label in zone.split("."))
    return b"".join(labels) + b"\0" + struct.pack("!2H", _SOA, _IN)


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
        count = struct.unpack_from("!H", answer, 6)[0]
        at = 12 + len(_asked(answer))
        for _ in range(count):
            at = _behind(answer, at)
            kind, _class, _ttl, length = struct.unpack_from("!2HIH", answer, at)
            at += 10
            if kind == _SOA:
                serial = int(struct.unpack_from("!I", answer, _behind(answer, _behind(answer, at)))[0])
            elif kind == _RRSIG and struct.unpack_from("!H", answer, at)[0] == _SOA:
                tags.add(int(struct.unpack_from("!H", answer, at + 16)[0]))
                signatures.add(answer[at : at + length])
            at += length
    except (struct.error, IndexError):
        return Start(serial)
    return Start(serial, frozenset(tags), frozenset(signatures))


def _behind(message: bytes, at: int) -> int:
    """The place behind a name, which ends at its root or at a pointer."""
    while True:
        length = message[at]
        if length >= 0xC0:
            return at + 2
        if length == 0:
            return at + 1
        at += 1 + length
