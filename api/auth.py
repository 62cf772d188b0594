"""Who is asking: bearer tokens (RFC 6750, RFC 7519), believed only while their user is in order."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
from sqlalchemy import Connection, bindparam, delete, insert, select

from state.document import Document, Ref
from state.errors import Forbidden, Unauthenticated
from state.kind import Spec
from state.reading import find, from_row
from state.secrets import password_matches, signing_keys
from state.tables import credentials, documents, revoked_tokens

ISSUER, AUDIENCE, ALGORITHM = "ghostcp", "ghostcp-api", "HS256"
LIFETIME = 12 * 3600
_REQUIRED = ["iss", "aud", "exp", "iat", "jti", "sub"]
_PRINCIPAL = (
    select(documents, credentials.c.changed_at, revoked_tokens.c.id.label("revoked"))
    .outerjoin(credentials, credentials.c.uid == documents.c.uid)
    .outerjoin(revoked_tokens, revoked_tokens.c.id == bindparam("jti"))
    .where(documents.c.uid == bindparam("sub"), documents.c.kind == "User", documents.c.deleted_at.is_(None))
)


@dataclass(frozen=True, slots=True)
class Principal:
    """The user who asks; `token` and `expires` are of the token that proved it.

    `scopes` are those of an API token; none after a login, which may do all that the user may.
    """

    uid: str = ""
    name: str = ""
    role: str = ""
    spec: Spec | None = None
    token: str = ""
    expires: int = 0
    scopes: frozenset[str] | None = None


NOBODY = Principal()


@dataclass(frozen=True, slots=True)
class Token:
    """A token just issued, and until when it is good."""

    text: str
    expires_at: datetime


def log_in(connection: Connection, var: Path, username: str, password: str) -> tuple[Token, Document]:
    """A token for who knows the password. A wrong name and a wrong password are told apart by nothing."""
    user = find(connection, Ref("User", username))
    if not password_matches(connection, user.uid if user else None, password) or user is None:
        raise Unauthenticated("the user name or the password is wrong", code="bad_credentials")
    if not in_order(user.spec):
        raise Forbidden(f"{username!r} is suspended: ask your provider", code="account_suspended")
    query = select(credentials.c.changed_at).where(credentials.c.uid == user.uid)
    return _issue(var, user.uid, connection.execute(query).scalar_one()), user


def authenticate(connection: Connection, var: Path, authorization: str) -> Principal:
    """Who the ``Authorization`` header proves to ask, in one query. Raises Unauthenticated."""
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "bearer" or not text:
        raise Unauthenticated("send a bearer token from /api/v1/auth/login", code="token_missing")
    claims = _claims(var, text.strip())
    row = (
        connection.execute(_PRINCIPAL, {"sub": str(claims["sub"]), "jti": str(claims["jti"])})
        .mappings()
        .first()
    )
    if row is None or row["revoked"] is not None or row["changed_at"] is None:
        raise _refused()
    user = from_row(row)
    if not in_order(user.spec) or claims.get("pwd") != _mark(row["changed_at"]):
        raise _refused()
    role = str(getattr(user.spec, "role", ""))
    return Principal(user.uid, user.name, role, user.spec, str(claims["jti"]), int(claims["exp"]))


def revoke(connection: Connection, principal: Principal) -> None:
    """Makes the principal's token worthless, and forgets those that have expired anyway."""
    connection.execute(delete(revoked_tokens).where(revoked_tokens.c.expires_at < datetime.now(UTC)))
    connection.execute(delete(revoked_tokens).where(revoked_tokens.c.id == principal.token))
    expires_at = datetime.fromtimestamp(principal.expires, UTC)
    connection.execute(insert(revoked_tokens).values(id=principal.token, expires_at=expires_at))


def in_order(spec: Spec) -> bool:
    """Whether the user may act at all."""
    return bool(getattr(spec, "is_active", False)) and not getattr(spec, "is_suspended", True)


def _issue(var: Path, uid: str, changed_at: datetime) -> Token:
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": uid,
        "iat": now,
        "exp": now + LIFETIME,
        "jti": str(uuid4()),
        "pwd": _mark(changed_at),
    }
    text = jwt.encode(claims, _keys(var)[0], ALGORITHM, sort_headers=False)
    return Token(text, datetime.fromtimestamp(now + LIFETIME, UTC))


def _claims(var: Path, text: str) -> dict[str, Any]:
    for key in _keys(var):
        try:
            return dict(
                jwt.decode(
                    text,
                    key,
                    algorithms=[ALGORITHM],
                    audience=AUDIENCE,
                    issuer=ISSUER,
                    options={"require": _REQUIRED},
                )
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("the token has expired: log in again", code="token_expired") from None
        except jwt.InvalidTokenError:
            break
    raise _refused()


def _refused() -> Unauthenticated:
    return Unauthenticated("the token is not accepted: log in again", code="token_refused")


def _mark(changed_at: datetime) -> int:
    """Changes with the password, so that no token outlives the one it was issued for."""
    return int(changed_at.timestamp() * 1_000_000)


def _keys(var: Path) -> tuple[str, ...]:
    path = var / "keys" / "tokens"
    return _read_keys(var, path.stat().st_mtime_ns if path.exists() else 0) or _read_keys(var, -1)


@cache
def _read_keys(var: Path, changed: int) -> tuple[str, ...]:
    """The keys as the file had them when it was last changed; none while there is no file."""
    return tuple(signing_keys(var)) if changed else ()
