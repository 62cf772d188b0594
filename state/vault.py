"""Secrets that must be read back: encrypted with a key that is not in the database (Fernet, first key of many)."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Column, Connection, LargeBinary, Table, select, tuple_, update

from state.access.tables import kept_answers, second_factors
from state.certificates.tables import acme_keys
from state.errors import Unreadable
from state.journal.tables import webhooks
from state.keys import keyring
from state.tables import documents
from state.zones.provider_tables import dns_providers

SEALED: tuple[Column[Any], ...] = (
    second_factors.c.secret,
    webhooks.c.secret,
    kept_answers.c.answer,
    documents.c.sealed,
    acme_keys.c.secret,
    dns_providers.c.options,
)


def seal(var: Path, text: str) -> str:
    """The text, encrypted with the first key of ``var/keys/vault``."""
    return _box(var).encrypt(text.encode()).decode()


def unseal(var: Path, sealed: str) -> str:
    """What was sealed. Raises Unreadable when none of the keys fits."""
    try:
        return _box(var).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise _unfitting() from None


def seal_json(var: Path, value: Any) -> bytes:
    """A JSON value, encrypted."""
    return seal(var, json.dumps(value)).encode()


def unseal_json(var: Path, sealed: bytes) -> Any:
    """The JSON value that was sealed. Raises Unreadable."""
    return json.loads(unseal(var, bytes(sealed).decode()))


def reseal(connection: Connection, var: Path) -> int:
    """Encrypts all that is sealed with the first key; how much that is. Raises Unreadable."""
    return sum(_reseal(connection, _box(var), column) for column in SEALED)


def _reseal(connection: Connection, box: MultiFernet, column: Column[Any]) -> int:
    table, binary = column.table, isinstance(column.type, LargeBinary)
    assert isinstance(table, Table)
    identity = tuple(table.primary_key.columns)
    rows = connection.execute(select(column, *identity).where(column.is_not(None)).with_for_update()).all()
    for sealed, *values in rows:
        try:
            again = box.rotate(bytes(sealed) if binary else sealed.encode())
        except InvalidToken:
            raise _unfitting() from None
        row = tuple_(*identity) == tuple_(*values)
        connection.execute(update(table).where(row).values({column: again if binary else again.decode()}))
    return len(rows)


def _unfitting() -> Unreadable:
    return Unreadable(
        "a stored secret fits none of the keys in keys/vault: put back the key that it was sealed with"
    )


def _box(var: Path) -> MultiFernet:
    return _opened(keyring(var, "vault"))


@lru_cache(4)
def _opened(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
