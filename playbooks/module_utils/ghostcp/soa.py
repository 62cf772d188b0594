"""Asking the name server of this host for serials, many at once (RFC 1035, section 4)."""

import socket
import struct
from collections.abc import Mapping, Sequence

SERVER = ("127.0.0.1", 53)
WINDOW, SECONDS = 200, 1.0
_SOA, _IN = 6, 1


def serials(zones: Sequence[str]) -> Mapping[str, int | None]:
    """The serial of each zone; None where it is not served, nothing where nobody answered in time."""
    found: dict[str, int | None] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(SECONDS)
        sock.connect(SERVER)
        for start in range(0, len(zones), WINDOW):
            found |= _some(sock, zones[start : start + WINDOW])
    return found


def _some(sock: socket.socket, zones: Sequence[str]) -> dict[str, int | None]:
    """Answers of an earlier window are told apart by their question."""
    waiting = {question(zone): zone for zone in zones}
    found: dict[str, int | None] = {}
    try:
        for number, asked in enumerate(waiting):
            sock.send(struct.pack("!6H", number, 0, 1, 0, 0, 0) + asked)
        while waiting:
            answer = sock.recv(4096)
            zone = waiting.pop(_asked(answer), None)
            if zone is not None:
                found[zone] = serial_in(answer)
    except OSError:
        return found
    return found


def question(zone: str) -> bytes:
    """The question for a zone's start of authority."""
    labels = (bytes([len(label)]) + label.encode("ascii") for label in zone.split("."))
    return b"".join(labels) + b"\0" + struct.pack("!2H", _SOA, _IN)


def _asked(answer: bytes) -> bytes:
    end = answer.find(b"\0", 12) + 5
    return answer[12:end]


def serial_in(answer: bytes) -> int | None:
    """The serial in an answer; None when it has no start of authority for what was asked."""
    try:
        count = struct.unpack_from("!H", answer, 6)[0]
        at = 12 + len(_asked(answer))
        for _ in range(count):
            at = _behind(answer, at)
            kind, _class, _ttl, length = struct.unpack_from("!2HIH", answer, at)
            at += 10
            if kind == _SOA:
                return int(struct.unpack_from("!I", answer, _behind(answer, _behind(answer, at)))[0])
            at += length
    except (struct.error, IndexError):
        return None
    return None


def _behind(message: bytes, at: int) -> int:
    """The place behind a name, which ends at its root or at a pointer."""
    while True:
        length = message[at]
        if length >= 0xC0:
            return at + 2
        if length == 0:
            return at + 1
        at += 1 + length
