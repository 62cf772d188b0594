"""Certificates and their keys as PEM (RFC 7468): what they say, and whether they belong together."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509 import (
    AuthorityInformationAccess,
    BasicConstraints,
    Certificate,
    DNSName,
    ExtendedKeyUsage,
    ExtensionNotFound,
    Name,
    SubjectAlternativeName,
    UniformResourceIdentifier,
    load_pem_x509_certificates,
)
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

LONGEST, MOST = 64 << 10, 10
SHORTEST_RSA, LONGEST_RSA = 2048, 8192
CURVES = frozenset({"secp256r1", "secp384r1"})
"""Those that every browser takes in a certificate (P-256, P-384; RFC 8446, section 4.2.3); P-521 is in few."""
WEAK = frozenset({"md5", "sha1"})
_SERVERS = frozenset({ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})
_ASKED = re.compile(r"http://[a-z0-9.-]{1,253}(:[0-9]{1,5})?(/[A-Za-z0-9._-]{1,64}){0,8}/?")


@dataclass(frozen=True, slots=True)
class Chain:
    """A certificate and what vouches for it, the certificate first; what it says of itself. Times are UTC.

    `ocsp` is where one asks whether it is revoked (RFC 6960); empty when its authority offers none.
    """

    pem: str
    issuer: str
    subject: str
    names: tuple[str, ...]
    valid_from: datetime
    valid_until: datetime
    fingerprint: str
    ocsp: str = ""

    @property
    def lifetime(self) -> float:
        """Seconds from the first to the last moment at which it is valid."""
        return (self.valid_until - self.valid_from).total_seconds()


def read_chain(text: str) -> Chain:
    """A chain from PEM. Raises ValueError saying what is wrong."""
    found = certificates(text)
    leaf = found[0]
    for number, (one, above) in enumerate(pairwise(found), start=1):
        _vouched(one, above, number)
    if is_authority(leaf):
        raise ValueError("the first certificate is an authority's: put the site's own first")
    if not _for_servers(leaf):
        raise ValueError("it is not for web servers (extended key usage): ask for one with serverAuth")
    algorithm = leaf.signature_hash_algorithm
    if algorithm is not None and algorithm.name in WEAK:
        raise ValueError(f"it is signed with {algorithm.name.upper()}, which nobody trusts any more")
    return Chain(
        pem="".join(each.public_bytes(Encoding.PEM).decode() for each in found),
        issuer=who(leaf.issuer),
        subject=leaf.subject.rfc4514_string(),
        names=_names(leaf),
        valid_from=leaf.not_valid_before_utc,
        valid_until=leaf.not_valid_after_utc,
        fingerprint=hashlib.sha256(leaf.public_bytes(Encoding.DER)).hexdigest(),
        ocsp=_ocsp(leaf),
    )


def read_key(text: str, chain: Chain) -> str:
    """The chain's private key as PEM (PKCS #8). Raises ValueError saying what is wrong; it never has the key in it."""
    if len(text) > LONGEST:
        raise ValueError("is too long for a key")
    try:
        key = load_pem_private_key(text.encode(), None)
    except TypeError:
        raise ValueError("is encrypted: give it without a passphrase") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("is no private key in PEM") from None
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise ValueError("is neither RSA nor ECDSA, which is what browsers understand")  # noqa: TRY004
    if isinstance(key, RSAPrivateKey) and not SHORTEST_RSA <= key.key_size <= LONGEST_RSA:
        raise ValueError(f"has {key.key_size} bits: browsers want {SHORTEST_RSA} to {LONGEST_RSA}")
    if isinstance(key, EllipticCurvePrivateKey) and key.curve.name not in CURVES:
        raise ValueError(f"is on the curve {key.curve.name}: browsers take P-256 and P-384 only")
    if key.public_key() != _public(certificates(chain.pem)[0]):
        raise ValueError("does not belong to the certificate")
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def irredundant(names: Sequence[str]) -> tuple[str, ...]:
    """These names without those that a wildcard among them stands for, in their order: authorities may refuse an order
    for both."""
    wild = [name for name in names if name.startswith("*.")]
    return tuple(name for name in names if name in wild or not covers(wild, name))


def covers(names: Iterable[str], wanted: str) -> bool:
    """Whether a certificate for these names is one for `wanted` (RFC 6125: a wildcard is one label at the left)."""
    _, _, above = wanted.partition(".")
    known = set(names)
    return wanted in known or (not wanted.startswith("*.") and f"*.{above}" in known)


def kept_chain(chain: Chain) -> dict[str, Any]:
    """A chain as plain values."""
    times = {name: getattr(chain, name).isoformat().replace("+00:00", "Z") for name in _TIMES}
    return {**asdict(chain), "names": list(chain.names), **times}


def known_chain(kept: Mapping[str, Any]) -> Chain | None:
    """The chain that was kept as these values, among others."""
    if "pem" not in kept:
        return None
    values = {name: kept[name] for name in Chain.__dataclass_fields__ if name in kept}
    times = {name: datetime.fromisoformat(kept[name]).astimezone(UTC) for name in _TIMES}
    return Chain(**{**values, "names": tuple(kept["names"]), **times})


_TIMES = ("valid_from", "valid_until")


def certificates(text: str) -> Sequence[Certificate]:
    """Those that the text has. Raises ValueError saying what is wrong with it."""
    if len(text) > LONGEST:
        raise ValueError("is too long for a chain of certificates")
    try:
        found = load_pem_x509_certificates(text.encode())
    except ValueError:
        raise ValueError("is no certificate in PEM") from None
    if len(found) > MOST:
        raise ValueError(f"has {len(found)} certificates: a chain has at most {MOST}")
    return found


def _vouched(one: Certificate, above: Certificate, number: int) -> None:
    try:
        one.verify_directly_issued_by(above)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        raise ValueError(
            f"certificate {number + 1} did not issue certificate {number}: give the site's own first, then who "
            "issued it, and so on"
        ) from None


def is_authority(certificate: Certificate) -> bool:
    """Whether it says that it is one (RFC 5280, section 4.2.1.9)."""
    try:
        return certificate.extensions.get_extension_for_class(BasicConstraints).value.ca
    except (ExtensionNotFound, ValueError):
        return False


def _for_servers(certificate: Certificate) -> bool:
    """Whether a web server may be known by it (RFC 5280, section 4.2.1.12)."""
    try:
        found = certificate.extensions.get_extension_for_class(ExtendedKeyUsage).value
    except (ExtensionNotFound, ValueError):
        return True
    return not _SERVERS.isdisjoint(found)


def _names(certificate: Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(SubjectAlternativeName)
    except (ExtensionNotFound, ValueError):
        raise ValueError("names no host (subjectAltName), without which no browser accepts it") from None
    return tuple(dict.fromkeys(name.lower() for name in found.value.get_values_for_type(DNSName)))


def _ocsp(certificate: Certificate) -> str:
    """The first place that a web server can ask (RFC 5280, section 4.2.2.1): plain HTTP, and nothing but a path."""
    try:
        found = certificate.extensions.get_extension_for_class(AuthorityInformationAccess).value
    except (ExtensionNotFound, ValueError):
        return ""
    asked = (each for each in found if each.access_method == AuthorityInformationAccessOID.OCSP)
    places = (each.access_location for each in asked)
    urls = (str(each.value) for each in places if isinstance(each, UniformResourceIdentifier))
    return next((url for url in urls if _ASKED.fullmatch(url)), "")


def who(name: Name) -> str:
    """Who an authority is: its organisation, else its common name, else all of its name."""
    for which in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME):
        for found in name.get_attributes_for_oid(which):
            return str(found.value)
    return name.rfc4514_string()


def _public(certificate: Certificate) -> RSAPublicKey | EllipticCurvePublicKey | None:
    key = certificate.public_key()
    return key if isinstance(key, RSAPublicKey | EllipticCurvePublicKey) else None
