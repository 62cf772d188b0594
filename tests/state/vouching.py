"""An authority for tests, which vouches for whatever it is asked to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
DAY = timedelta(days=1)
_UNUSUAL = {"common name": ((NameOID.COMMON_NAME, "Root"),), "country": ((NameOID.COUNTRY_NAME, "DE"),)}


@dataclass(frozen=True)
class Vouched:
    """A certificate with its key, as PEM, and those of who vouches for it, the root last."""

    certificate: str
    key: str
    root: str

    @property
    def chain(self) -> str:
        return self.certificate + self.root


def pem(key: Key, password: str = "") -> str:
    how = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, how).decode()


@dataclass(frozen=True)
class Link:
    """An authority between the root and a certificate; `authority` and `signs`: whether it says that it is one, and may
    sign certificates (None: it does not say)."""

    name: str = "Between"
    days: float = 365
    since: float = 1
    key: Key | None = None
    authority: bool | None = True
    signs: bool | None = None
    depth: int | None = None
    digest: hashes.HashAlgorithm = field(default_factory=hashes.SHA256)


@cache
def root(name: str = "Test Trust") -> tuple[Key, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(
        *_UNUSUAL.get(name, ((NameOID.ORGANIZATION_NAME, name), (NameOID.COMMON_NAME, f"{name} Root")))
    )
    made = _builder(subject, subject, key, datetime.now(UTC) - DAY, datetime.now(UTC) + 3650 * DAY)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return key, made.sign(key, hashes.SHA256())


def vouch(
    *names: str,
    days: float = 90,
    since: float = 1,
    key: Key | None = None,
    trust: str = "Test Trust",
    ocsp: Sequence[str] = (),
    usages: Sequence[x509.ObjectIdentifier] = (),
    links: Sequence[Link] = (),
) -> Vouched:
    """A certificate for these names that began `since` days ago and ends in `days`; `ocsp` are who knows if it is
    revoked, `usages` what it may be used for, where it says that; `links` are between the root and it, from above."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    signer, highest = root(trust)
    authority, between = highest, ""
    for link in links:
        signer, authority = _linked(link, signer, authority)
        between = _pem(authority) + between
    subject = _name((NameOID.COMMON_NAME, names[0])) if names else _name()
    now = datetime.now(UTC)
    made = _builder(subject, authority.subject, key, now - since * DAY, now + days * DAY)
    if names:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        made = made.add_extension(alternatives, critical=False)
    if usages:
        made = made.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    if ocsp:
        places = [x509.UniformResourceIdentifier(url) for url in ocsp]
        described = [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, place) for place in places]
        issuers = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, places[0])
        access = x509.AuthorityInformationAccess([issuers, *described])
        made = made.add_extension(access, critical=False)
    signed = made.sign(signer, hashes.SHA256())
    return Vouched(_pem(signed), pem(key), between + _pem(highest))


def _linked(link: Link, signer: Key, above: x509.Certificate) -> tuple[Key, x509.Certificate]:
    key, now = link.key or ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = _name((NameOID.COMMON_NAME, link.name))
    made = _builder(subject, above.subject, key, now - link.since * DAY, now + link.days * DAY)
    if link.authority is not None:
        constraints = x509.BasicConstraints(link.authority, link.depth if link.authority else None)
        made = made.add_extension(constraints, critical=True)
    if link.signs is not None:
        made = made.add_extension(_usage(signs=link.signs), critical=True)
    return key, made.sign(signer, link.digest)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(*parts: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(which, value) for which, value in parts])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Key, since: datetime, until: datetime
) -> x509.CertificateBuilder:
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number())
    return made.not_valid_before(since).not_valid_after(until)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
