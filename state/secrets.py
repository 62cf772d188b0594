"""Passwords as verifiers that cannot be read back, and the keys of tokens in files that are not in the database."""

import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import Connection, delete, insert, select

from state.tables import credentials

_hasher = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19456, parallelism=1),))


@cache
def _decoy() -> str:
    return _hasher.hash(secrets.token_urlsafe())


def set_password(connection: Connection, uid: str, password: str) -> None:
    """Keeps the password's verifier in place of an old one."""
    keep_verifier(connection, uid, verifier(password))


def verifier(password: str) -> str:
    """What a password is recognised by (Argon2id, OWASP's parameters); slow, so made before a transaction."""
    return _hasher.hash(password)


def keep_verifier(connection: Connection, uid: str, made: str) -> None:
    """Keeps a verifier in place of an old one."""
    connection.execute(delete(credentials).where(credentials.c.uid == uid))
    connection.execute(insert(credentials).values(uid=uid, verifier=made, changed_at=datetime.now(UTC)))


def password_matches(connection: Connection, uid: str | None, password: str) -> bool:
    """Whether it is the document's password; takes the same time when there is no such document."""
    query = select(credentials.c.verifier).where(credentials.c.uid == uid)
    kept = connection.execute(query).scalar() if uid else None
    matches = _hasher.verify(password, kept or _decoy())
    return matches and kept is not None


def signing_keys(var: Path) -> list[str]:
    """The keys that tokens are signed with (the first) and believed by (all), from ``var/keys/tokens``."""
    return key_file(var, "tokens", lambda: secrets.token_urlsafe(48)).split()


def key_file(var: Path, name: str, make: Callable[[], str]) -> str:
    """The content of a key file (mode 0600), made at first use; two makers at once agree on one."""
    path = var / "keys" / name
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f".{name}.{secrets.token_hex(6)}")
        draft.touch(mode=0o600)
        draft.write_text(make() + "\n")
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text()
