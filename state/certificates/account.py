"""Who we are to certificate authorities: one key for the whole control plane, hence one thumbprint for every site."""

import hashlib
import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import Connection, delete, insert, select

from state.certificates.tables import acme_accounts, acme_keys
from state.claims import lock
from state.vault import seal, unseal

_ONLY = 1


def thumbprint(connection: Connection) -> str:
    """What challenges are answered with (RFC 8555, section 8.1); empty as long as there is no key."""
    return str(connection.execute(select(acme_keys.c.thumbprint)).scalar() or "")


def account_key(connection: Connection, var: Path) -> str:
    """The key as PEM, made at first use."""
    lock(connection, "acme/key")
    sealed = connection.execute(select(acme_keys.c.secret)).scalar()
    if sealed is not None:
        return unseal(var, sealed)
    key = generate_private_key(SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    row = {"id": _ONLY, "secret": seal(var, pem), "thumbprint": thumbprint_of(key.public_key())}
    connection.execute(insert(acme_keys).values(**row, created_at=datetime.now(UTC)))
    return pem


def thumbprint_of(key: EllipticCurvePublicKey) -> str:
    """The thumbprint of a key on P-256 (RFC 7638, RFC 7518, section 6.2)."""
    numbers = key.public_numbers()
    jwk = {
        "crv": "P-256",
        "kty": "EC",
        "x": _encoded(numbers.x.to_bytes(32)),
        "y": _encoded(numbers.y.to_bytes(32)),
    }
    canonical = json.dumps(jwk, sort_keys=True, separators=(",", ":")).encode()
    return _encoded(hashlib.sha256(canonical).digest())


def _encoded(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def account_url(connection: Connection, directory: str) -> str | None:
    """Our account with the authority of this directory, if there is one."""
    found = select(acme_accounts.c.url).where(acme_accounts.c.directory == directory)
    return connection.execute(found).scalar()


def forget_account(connection: Connection, directory: str) -> None:
    """Forgets an account that its authority does not know any more."""
    connection.execute(delete(acme_accounts).where(acme_accounts.c.directory == directory))


def keep_account(connection: Connection, directory: str, url: str) -> None:
    """Remembers our account with the authority of this directory."""
    lock(connection, f"acme/{directory}")
    connection.execute(delete(acme_accounts).where(acme_accounts.c.directory == directory))
    row = {"directory": directory, "url": url, "created_at": datetime.now(UTC)}
    connection.execute(insert(acme_accounts).values(**row))
