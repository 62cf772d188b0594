"""The tokens that a login gives: JSON Web Tokens (RFC 7519) signed with HS256, and with nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt

from state.errors import Unauthenticated
from state.keys import keyring

ISSUER, AUDIENCE, ALGORITHM = "ghostcp", "ghostcp-api", "HS256"
LIFETIME, LONGEST_SESSION = timedelta(hours=12), timedelta(days=7)
_SKEW = timedelta(minutes=5)
_NUMBERS = ("exp", "iat", "auth_time", "pwd")
_OPTIONS: Any = {
    "require": ["iss", "aud", "jti", "sub", *_NUMBERS],
    "verify_exp": False,
    "verify_iat": False,
}


@dataclass(frozen=True, slots=True)
class Token:
    """A token just issued, its id, and until when it is good."""

    text: str
    id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says: whose it is, its id, when it ends, when its session began (seconds of Unix time).

    `password` changes with the user's password, so that no token outlives the one it was issued for.
    """

    subject: str
    token: str
    expires: int
    began: int
    password: int


def issue(var: Path, uid: str, password_since: datetime, now: datetime, began: int | None = None) -> Token:
    """A token for a session that begins now, or goes on, but never for longer than a session may."""
    issued = int(now.timestamp())
    start = issued if began is None else began
    end = min(issued + int(LIFETIME.total_seconds()), start + int(LONGEST_SESSION.total_seconds()))
    token = str(uuid4())
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": uid,
        "iat": issued,
        "exp": end,
        "jti": token,
        "auth_time": start,
        "pwd": mark(password_since),
    }
    text = jwt.encode(claims, keyring(var, "tokens")[0], ALGORITHM, sort_headers=False)
    return Token(text, token, datetime.fromtimestamp(end, UTC))


def read(var: Path, text: str, now: datetime) -> Claims:
    """What a token of ours says that has not ended. Raises Unauthenticated.

    A clock that went back finds tokens that it has not issued yet: those are not believed.
    """
    if "=" in text:  # base64url without padding (RFC 7515, section 2): each token is written in one way
        raise refused()
    claims = _verified(var, text)
    if not all(type(claims[name]) is int for name in _NUMBERS):
        raise refused()
    if claims["exp"] <= now.timestamp():
        raise Unauthenticated("the token has expired: log in again", code="token_expired")
    if claims["iat"] > (now + _SKEW).timestamp():
        raise refused()
    return Claims(claims["sub"], claims["jti"], claims["exp"], claims["auth_time"], claims["pwd"])


def mark(password_since: datetime) -> int:
    """What tokens say of the password that they were issued for."""
    return int(password_since.timestamp() * 1_000_000)


def refused() -> Unauthenticated:
    return Unauthenticated("the token is not accepted: log in again", code="token_refused")


def _verified(var: Path, text: str) -> Mapping[str, Any]:
    return _signed(keyring(var, "tokens"), text)


@lru_cache(1024)
def _signed(keys: tuple[str, ...], text: str) -> Mapping[str, Any]:
    """What a token says that one of the keys has signed, which never changes. Raises Unauthenticated."""
    for key in keys:
        try:
            return jwt.decode(
                text, key, algorithms=[ALGORITHM], audience=AUDIENCE, issuer=ISSUER, options=_OPTIONS
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.InvalidTokenError:
            break
    raise refused()
