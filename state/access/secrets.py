"""Passwords, kept as verifiers that cannot be read back."""

import secrets
from datetime import UTC, datetime
from functools import cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import Connection, bindparam, delete, insert, select

from state.access.tables import api_tokens
from state.claims import lock
from state.tables import credentials

_hasher = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19456, parallelism=1),))
_KEPT = select(credentials.c.verifier, credentials.c.changed_at).where(
    credentials.c.uid == bindparam("of_uid")
)


@cache
def _decoy() -> str:
    return _hasher.hash(secrets.token_urlsafe())


def set_password(connection: Connection, uid: str, password: str) -> None:
    """Keeps the password's verifier in place of an old one."""
    keep_verifier(connection, uid, verifier(password))


def verifier(password: str) -> str:
    """What a password is recognised by (Argon2id, OWASP's parameters); slow, so made before a transaction."""
    return _hasher.hash(password)


def keep_verifier(connection: Connection, uid: str, made: str) -> datetime:
    """Keeps a verifier in place of an old one, under which all that was issued is worthless; since when it is."""
    now = datetime.now(UTC)
    lock(connection, f"password/{uid}")
    connection.execute(delete(api_tokens).where(api_tokens.c.uid == uid))
    connection.execute(delete(credentials).where(credentials.c.uid == uid))
    connection.execute(insert(credentials).values(uid=uid, verifier=made, changed_at=now))
    return now


def kept_verifier(connection: Connection, uid: str) -> tuple[str | None, datetime | None]:
    """The verifier of a password and since when it is; none when there is no password."""
    row = connection.execute(_KEPT, {"of_uid": uid}).one_or_none()
    return (None, None) if row is None else (row.verifier, row.changed_at)


def matches(kept: str | None, password: str) -> bool:
    """Whether this is the password of a verifier; takes the same time when there is none.

    Slow, so that nobody should hold a transaction meanwhile.
    """
    return _hasher.verify(password, kept or _decoy()) and kept is not None
