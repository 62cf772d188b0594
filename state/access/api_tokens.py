"""API tokens: long-lived, named, narrower than their user; recognised by a hash of what was shown once."""

import hashlib
import secrets
import string
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from state.access.tables import api_tokens
from state.claims import lock
from state.errors import Conflict
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


@dataclass(frozen=True, slots=True)
class Wish:
    """A token as it shall be; good for ever without `expires_at`, and from everywhere without addresses."""

    name: str
    scopes: tuple[str, ...]
    addresses: tuple[str, ...] = ()
    expires_at: datetime | None = None


def add(connection: Connection, uid: str, wish: Wish, now: datetime) -> tuple[str, str]:
    """A new token of the user: its id, and itself, which is not kept. Raises Conflict for a name that is taken."""
    _refuse_taken(connection, uid, wish.name)
    made, text = str(uuid4()), new_token()
    row = {"id": made, "uid": uid, "digest": digest(text), "version": 1, "created_at": now, "updated_at": now}
    connection.execute(insert(api_tokens).values(row | _columns(wish)))
    return made, text


def alter(connection: Connection, token_id: str, uid: str, wish: Wish, now: datetime) -> None:
    """Changes all but the token itself. Raises Conflict for a name that is taken."""
    _refuse_taken(connection, uid, wish.name, but=token_id)
    values = {**_columns(wish), "version": api_tokens.c.version + 1, "updated_at": now}
    connection.execute(update(api_tokens).where(api_tokens.c.id == token_id).values(values))


def remove(connection: Connection, token_id: str) -> None:
    """The token is worthless from now on."""
    connection.execute(delete(api_tokens).where(api_tokens.c.id == token_id))


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


def _columns(wish: Wish) -> dict[str, Any]:
    return asdict(wish) | {"scopes": list(wish.scopes), "addresses": list(wish.addresses)}


def _refuse_taken(connection: Connection, uid: str, name: str, but: str = "") -> None:
    lock(connection, f"tokens/{uid}")
    same = (api_tokens.c.uid == uid) & (api_tokens.c.name == name) & (api_tokens.c.id != but)
    if connection.execute(select(api_tokens.c.id).where(same)).first():
        raise Conflict(f"there is a token {name!r} already: choose another name", code="token_name_taken")
