"""What the control plane made for a document: what it remembers of it, and the secrets that belong to it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, select, update

from state.errors import NotFound, Unreadable
from state.resource import Secret
from state.tables import documents
from state.vault import seal, unseal

_log = structlog.get_logger()


def keep(connection: Connection, uid: str, values: Mapping[str, Any]) -> None:
    """Remembers these values with a document, beside what is remembered already; it makes no new generation.

    None forgets. Raises NotFound when the document is gone.
    """
    row = documents.c.uid == uid
    found = connection.execute(select(documents.c.kept).where(row).with_for_update()).one_or_none()
    if found is None:
        raise NotFound("no such object", id=uid)
    known = found.kept if isinstance(found.kept, dict) else {}
    together = {k: v for k, v in {**known, **values}.items() if v is not None}
    connection.execute(update(documents).where(row).values(kept=together))


def keep_all(connection: Connection, values: Mapping[str, Mapping[str, Any]]) -> None:
    """Remembers values by uid, as `keep`."""
    for uid, one in values.items():
        keep(connection, uid, one)


def put_away(connection: Connection, var: Path, uid: str, secrets: Mapping[str, str]) -> None:
    """Seals these secrets with a document, beside those that it has.

    Raises NotFound, or Unreadable when those that it has fit no key.
    """
    row = documents.c.uid == uid
    found = connection.execute(select(documents.c.sealed).where(row).with_for_update()).one_or_none()
    if found is None:
        raise NotFound("no such object", id=uid)
    sealed = sealed_with(var, found.sealed, secrets)
    connection.execute(update(documents).where(row).values(sealed=sealed))


def sealed_with(var: Path, sealed: str | None, secrets: Mapping[str, str]) -> str:
    """What was sealed together with these secrets. Raises Unreadable when it fits no key."""
    old = json.loads(unseal(var, sealed)) if sealed else {}
    return seal(var, json.dumps({**old, **secrets}))


def reveal(var: Path, secret: Secret) -> str | None:
    """The secret; None, and a word in the log, when it is not there or fits no key."""
    try:
        return str(json.loads(unseal(var, secret.sealed))[secret.name])
    except (Unreadable, KeyError) as error:
        _log.warning("a secret cannot be read", name=secret.name, why=type(error).__name__)
        return None
