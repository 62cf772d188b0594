"""The key that a zone is signed with (RFC 4034): made here, told as records, and written as BIND reads it."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dns.dnssec
import dns.rdata
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from dns.dnssectypes import Algorithm
from dns.rdtypes.ANY.DNSKEY import DNSKEY

from state.resource import sha256

KEY = "dnssec"
"""The name of the private key among a zone's secrets, and of what is remembered of it."""
TTL = 3600
_FLAGS = 257  # a key for everything: zone key and secure entry point (RFC 4034, section 2.1.1)
_TIMES = ("Created", "Publish", "Activate", "SyncPublish")


@dataclass(frozen=True, slots=True)
class ZoneKey:
    """What may be known of a key: its tag, the public half (base64), since when it is used (YYYYMMDDHHMMSS, UTC), and
    the SHA-256 of the file of the private half."""

    tag: int
    public: str
    since: str
    checksum: str


def make_key(at: datetime) -> tuple[dict[str, Any], str]:
    """A new key (ECDSA on P-256, RFC 6605): what is remembered of it, and the file of its private half."""
    private = ec.generate_private_key(ec.SECP256R1())
    point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
    since = at.astimezone(UTC).strftime("%Y%m%d%H%M%S")
    number = private.private_numbers().private_value.to_bytes(32, "big")
    lines = ("Private-key-format: v1.3", "Algorithm: 13 (ECDSAP256SHA256)", f"PrivateKey: {_text(number)}")
    file = "\n".join((*lines, *(f"{each}: {since}" for each in _TIMES), ""))
    record = _record(_text(point))
    kept = {"tag": dns.dnssec.key_id(record), "public": _text(point), "since": since, "sha256": sha256(file)}
    return {KEY: kept}, file


def known_key(kept: Mapping[str, Any]) -> ZoneKey | None:
    """The key that is remembered with a zone, if it has one."""
    values = kept.get(KEY)
    if not values:
        return None
    return ZoneKey(int(values["tag"]), values["public"], values["since"], values["sha256"])


def dnskey(key: ZoneKey) -> str:
    """The data of its DNSKEY record."""
    return _data(key.public)


def delegation(zone: str, key: ZoneKey) -> str:
    """The data of the DS record that the zone above publishes: a SHA-256 of the key (RFC 4509)."""
    return str(dns.dnssec.make_ds(f"{zone}.", _record(key.public), "SHA256")).upper()


def file_stem(zone: str, key: ZoneKey) -> str:
    """How the files of a key are called, before their endings."""
    return f"K{zone}.+{Algorithm.ECDSAP256SHA256.value:03}+{key.tag:05}"


def public_files(zone: str, key: ZoneKey) -> dict[str, str]:
    """The files beside the private half, by their endings. They are whole, so that BIND never adds anything to them."""
    head = f"; Managed by GhostCP: key {key.tag} of {zone}."
    times = (f"; {each}: {key.since}" for each in _TIMES)
    record = f"{f'{zone}.'} {TTL} IN DNSKEY {dnskey(key)}"
    told = {**_KIND, **dict.fromkeys(_MOMENTS, key.since), **dict.fromkeys(_STATES, "omnipresent")}
    state = (f"{name}: {value}" for name, value in told.items())
    return {"key": "\n".join((head, *times, record, "")), "state": "\n".join((head, *state, ""))}


_KIND = {"Algorithm": "13", "Length": "256", "Lifetime": "0", "KSK": "yes", "ZSK": "yes"}
_CHANGES = ("DNSKEYChange", "ZRRSIGChange", "KRRSIGChange", "DSChange")
_MOMENTS = ("Generated", "Published", "Active", "PublishCDS", *_CHANGES)
_STATES = ("DNSKEYState", "ZRRSIGState", "KRRSIGState", "DSState", "GoalState")


def _record(public: str) -> DNSKEY:
    record = dns.rdata.from_text("IN", "DNSKEY", _data(public))
    assert isinstance(record, DNSKEY)
    return record


def _data(public: str) -> str:
    return f"{_FLAGS} 3 {Algorithm.ECDSAP256SHA256.value} {public}"


def _text(data: bytes) -> str:
    return b64encode(data).decode()
