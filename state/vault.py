"""Secrets that must be read back: encrypted with a key that is not in the database (Fernet, first key of many)."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from state.errors import Unreadable
from state.secrets import key_file


def seal(var: Path, text: str) -> str:
    """The text, encrypted with the first key of ``var/keys/vault``."""
    return _box(var).encrypt(text.encode()).decode()


def unseal(var: Path, sealed: str) -> str:
    """What was sealed. Raises Unreadable when none of the keys fits."""
    try:
        return _box(var).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Unreadable(
            "a stored secret fits none of the keys in keys/vault: put back the key that it was sealed with"
        ) from None


def seal_json(var: Path, value: Any) -> bytes:
    """A JSON value, encrypted."""
    return seal(var, json.dumps(value)).encode()


def unseal_json(var: Path, sealed: bytes) -> Any:
    """The JSON value that was sealed. Raises Unreadable."""
    return json.loads(unseal(var, bytes(sealed).decode()))


def _box(var: Path) -> MultiFernet:
    path = var / "keys" / "vault"
    return _opened(var, path.stat().st_mtime_ns if path.exists() else 0)


@cache
def _opened(var: Path, _changed: int) -> MultiFernet:
    """The keys as the file had them when it was last changed."""
    keys = key_file(var, "vault", lambda: Fernet.generate_key().decode()).split()
    return MultiFernet([Fernet(key) for key in keys])
