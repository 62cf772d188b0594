"""Who is asking: bearer tokens (RFC 6750), believed only while their user is in order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from api import bearer
from api.address import within
from state.access.api_tokens import PREFIX, find_token, is_unnoted
from state.claims import lock
from state.errors import Unauthenticated
from state.reading import from_row
from state.spec import Spec
from state.tables import credentials, documents, revoked_tokens

_REMEMBERED = timedelta(days=30)
_PRINCIPAL = (
    select(documents, credentials.c.changed_at, revoked_tokens.c.id.label("revoked"))
    .outerjoin(credentials, credentials.c.uid == documents.c.uid)
    .outerjoin(revoked_tokens, revoked_tokens.c.id == bindparam("jti"))
    .where(documents.c.uid == bindparam("sub"), documents.c.kind == "User", documents.c.deleted_at.is_(None))
)


@dataclass(frozen=True, slots=True)
class Principal:
    """The user who asks; `token` is the id of what proved it, which ends at `expires` (0: never).

    `scopes` are those of an API token; none after a login, which may do all that the user may. `began` is when
    the session did. `unnoted`: the use of the API token is still to be noted.
    """

    uid: str = ""
    name: str = ""
    role: str = ""
    spec: Spec | None = None
    token: str = ""
    expires: int = 0
    scopes: frozenset[str] | None = None
    began: int = 0
    unnoted: bool = False


NOBODY = Principal()


def authenticate(
    connection: Connection, var: Path, authorization: str, address: str, now: datetime
) -> Principal:
    """Who the ``Authorization`` header proves to ask, in one query. Raises Unauthenticated."""
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise Unauthenticated("send a bearer token from /api/v1/auth/login", code="token_missing")
    if text.startswith(PREFIX):
        return _of_api_token(connection, text, address, now)
    return _of_session(connection, bearer.read(var, text.strip(), now))


def _of_session(connection: Connection, claims: bearer.Claims) -> Principal:
    row = (
        connection.execute(_PRINCIPAL, {"sub": claims.subject, "jti": claims.token}).mappings().one_or_none()
    )
    if row is None or row["revoked"] is not None or row["changed_at"] is None:
        raise bearer.refused()
    if claims.password != bearer.mark(row["changed_at"]):
        raise bearer.refused()
    uid, name, role, spec = _in_order(row)
    return Principal(uid, name, role, spec, claims.token, claims.expires, began=claims.began)


def _of_api_token(connection: Connection, text: str, address: str, now: datetime) -> Principal:
    row = find_token(connection, text)
    if row is None:
        raise bearer.refused()
    ends = row["expires_at"]
    if ends is not None and ends <= now:
        raise Unauthenticated("the API token has expired: make a new one", code="token_expired")
    allowed = row["addresses"]
    if allowed and not within(address, [ip_network(each) for each in allowed]):
        raise Unauthenticated("the API token is not for use from this address", code="address_refused")
    uid, name, role, spec = _in_order(row)
    return Principal(
        uid,
        name,
        role,
        spec,
        token=row["token_id"],
        expires=int(ends.timestamp()) if ends else 0,
        scopes=frozenset(row["scopes"]),
        unnoted=is_unnoted(row["last_used_at"], now),
    )


def _in_order(row: Mapping[Any, Any]) -> tuple[str, str, str, Spec]:
    """Id, name, role and spec of the user. Raises Unauthenticated when it may not act."""
    user = from_row(row)
    if not in_order(user.spec):
        raise bearer.refused()
    return user.uid, user.name, str(getattr(user.spec, "role", "")), user.spec


def revoke(connection: Connection, principal: Principal, now: datetime) -> bool:
    """Makes the principal's token worthless; false when it was so already.

    What ended long ago is forgotten: a clock that runs ahead for a while makes no token good again.
    """
    lock(connection, f"token/{principal.token}")
    row = revoked_tokens.c.id == principal.token
    if connection.execute(select(revoked_tokens.c.id).where(row)).first():
        return False
    expires_at = datetime.fromtimestamp(principal.expires, UTC)
    connection.execute(insert(revoked_tokens).values(id=principal.token, expires_at=expires_at))
    connection.execute(delete(revoked_tokens).where(revoked_tokens.c.expires_at < now - _REMEMBERED))
    return True


def in_order(spec: Spec) -> bool:
    """Whether the user may act at all."""
    return bool(getattr(spec, "is_active", False)) and not getattr(spec, "is_suspended", True)
