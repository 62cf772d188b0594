"""API tokens: long-lived, named, narrower than their user; recognised by a hash of what was shown once."""

import hashlib
import secrets
import string
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, or_, select, update

from state.access_tables import api_tokens
from state.tables import documents

PREFIX = "ghostcp_"
NOTED = timedelta(minutes=1)
_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 40
_BY_DIGEST = (
    select(
        documents,
        api_tokens.c.id.label("token_id"),
        api_tokens.c.scopes,
        api_tokens.c.addresses,
        api_tokens.c.expires_at,
        api_tokens.c.last_used_at,
    )
    .join(documents, documents.c.uid == api_tokens.c.uid)
    .where(api_tokens.c.digest == bindparam("of_digest"))
    .where(documents.c.kind == "User", documents.c.deleted_at.is_(None))
)


def new_token() -> str:
    """238 random bits behind a prefix by which scanners for secrets find it where it should not be."""
    return PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def digest(text: str) -> str:
    """What a token is recognised by; it has too many bits to be guessed from that."""
    return hashlib.sha256(text.encode()).hexdigest()


def find_token(connection: Connection, text: str) -> Mapping[Any, Any] | None:
    """The token, with the columns of the living user whose it is."""
    return connection.execute(_BY_DIGEST, {"of_digest": digest(text)}).mappings().one_or_none()


def is_unnoted(last_used_at: datetime | None, now: datetime) -> bool:
    """Whether a use is to be noted: the last that was is a minute away, in whichever direction."""
    return last_used_at is None or abs(now - last_used_at) >= NOTED


def note_use(connection: Connection, token_id: str, address: str, now: datetime) -> None:
    """Notes when and where from a token was used, unless somebody just did."""
    last = api_tokens.c.last_used_at
    stale = or_(last.is_(None), last <= now - NOTED, last >= now + NOTED)
    used = {"last_used_at": now, "last_used_address": address}
    connection.execute(update(api_tokens).where(api_tokens.c.id == token_id, stale).values(used))
