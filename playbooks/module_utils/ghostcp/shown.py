"""What visitors are shown: the certificate that is served for a name on port 443, seen by a handshake.

Each handshake takes a millisecond: of many names, some are looked at by turns.
"""

import hashlib
import socket
import ssl
import time
from collections.abc import Iterable, Sequence
from functools import partial

from . import generations, rotation
from .host import Host
from .wire import Handler, Observed

ADDRESS, PORT = "127.0.0.1", 443
SECONDS = 3.0
AT_ONCE = 300
"""How many names are looked at anew in any case."""
MEMORY = "/run/ghostcp/shown.json"
_FOLDER = "nginx"
_LONGEST = 200
"""Longer names have files called by a tag, which is not known here: they are always looked at."""
_VERSION, _UTC = 0xA0, 0x17


def observe(host: Host, names: Sequence[str]) -> Observed:
    """SHA-256 and end of the certificate that is served for each name; None where there is none."""
    return rotation.look(host, MEMORY, names, partial(_marks, host), _look, AT_ONCE)


def forget(host: Host, names: Iterable[str]) -> None:
    """Has these names looked at anew the next time, since what they show may have changed."""
    rotation.forget(host, MEMORY, names)


def _look(names: Iterable[str]) -> Observed:
    """A handshake each. Once the server has let one wait in vain it is asked no more."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    found: Observed = {}
    hangs = False
    for name in names:
        found[name] = None
        if not hangs:
            try:
                der = _served(context, name)
                found[name] = {"sha256": hashlib.sha256(der).hexdigest(), "valid_until": valid_until(der)}
            except TimeoutError:
                hangs = True
            except (OSError, ValueError):
                continue
    return found


def _served(context: ssl.SSLContext, name: str) -> bytes:
    """The certificate that is served for a name. OSError or ValueError when there is none."""
    with (
        socket.create_connection((ADDRESS, PORT), SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=name) as secured,
    ):
        return secured.getpeercert(binary_form=True) or b""


def valid_until(der: bytes) -> str:
    """When a certificate ends (RFC 5280, section 4.1.2.5), as RFC 3339. ValueError when it is none."""
    try:
        content = _parts(_parts(der)[0][1])
        fields = [it for it in _parts(content[0][1]) if it[0] != _VERSION]
        kind, text = _parts(fields[3][1])[1]
        year = f"{'20' if text[:2] < b'50' else '19'}" if kind == _UTC else ""
        told = year + text.decode("ascii").rstrip("Z")
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.strptime(told, "%Y%m%d%H%M%S"))
    except IndexError:
        raise ValueError("it is no certificate") from None


def _parts(data: bytes) -> list[tuple[int, bytes]]:
    """The elements of a DER content, as (tag, content)."""
    found, at = [], 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        found.append((tag, data[at : at + length]))
        at += length
    return found


def _marks(host: Host, name: str) -> rotation.Marks:
    """What tells whether a site or its certificate has changed; nothing where its files are not called as it is."""
    if len(name) > _LONGEST:
        return ()
    live = host.path(f"{generations.LIVE}/{_FOLDER}")
    return (*rotation.file_marks(f"{live}/{name}.conf"), *rotation.file_marks(f"{live}/tls/{name}.crt"))


HANDLER = Handler(observe)
