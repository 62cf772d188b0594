"""How the audit's entries are chained: their digests, the record beside them, and its seal (HMAC-SHA256, RFC 2104)."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from state.journal.tables import audit, audit_head
from state.keys import is_marked, keyring

START = "0" * 64
GONE = "the record of the last entry is gone, or cannot be read"
_HEAD = select(audit_head.c.last, audit_head.c.digest, audit_head.c.seal).where(audit_head.c.id == 1)
MOVE = (
    update(audit_head)
    .where(audit_head.c.id == 1)
    .values(last=bindparam("to_last"), digest=bindparam("to_digest"), seal=bindparam("to_seal"))
)
_CHAINED = tuple(column.name for column in audit.columns if column.name != "digest")


@dataclass(frozen=True, slots=True)
class Record:
    """The row beside the chain: the last entry's number and hash, and their seal."""

    last: int
    digest: str
    seal: str


def stored_record(connection: Connection) -> Record | None:
    """None if it is not there, or holds what we never write."""
    row = connection.execute(_HEAD).one_or_none()
    is_sound = row and isinstance(row.last, int) and isinstance(row.digest, str) and isinstance(row.seal, str)
    return Record(*row) if row and is_sound else None


def is_ours(key: bytes, record: Record, var: Path) -> bool:
    """Whether we wrote it: there is no seal only as long as the audit was not begun."""
    if record == Record(0, START, ""):
        return not is_marked(var, "audit")
    return same(record.seal, _seal(key, record.last, record.digest))


def digest_of(key: bytes, row: Mapping[Any, Any]) -> str:
    fields = {name: row[name] for name in _CHAINED}
    text = json.dumps({**fields, "at": fields["at"].isoformat()}, sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def moved_to(key: bytes, last: int, digest: str) -> dict[str, int | str]:
    return {"to_last": last, "to_digest": digest, "to_seal": _seal(key, last, digest)}


def _seal(key: bytes, last: int, digest: str) -> str:
    return hmac.new(key, f"head {last} {digest}".encode(), hashlib.sha256).hexdigest()


def same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def key_of(var: Path) -> bytes:
    return keyring(var, "audit")[0].encode()
