"""The first login: the package `default` and the administrator, made once in the database itself."""

import os
import secrets
from pathlib import Path

from sqlalchemy import Connection

from state.access.secrets import keep_verifier, kept_verifier, matches, verifier
from state.database import Database
from state.document import Document, Ref
from state.journal import audit
from state.kinds import KINDS
from state.reading import find
from state.store import create

NAME = "admin"
_ACTOR = "system"


def password_file(var: Path) -> Path:
    """Where a password that was made up is kept (mode 0600)."""
    return var / "admin-password"


def ensure_administrator(database: Database, var: Path) -> tuple[str, bool]:
    """The administrator's password, and whether it is a new one that nobody has seen yet.

    It is that of ``GHOSTCP_ADMIN_PASSWORD``, else the one kept in `var`, else a random one. The kept one is only what
    the first password was: it takes the place of none that was chosen since.
    """
    wished = os.environ.get("GHOSTCP_ADMIN_PASSWORD", "")
    kept = _kept(var)
    password = wished or kept or secrets.token_urlsafe(18)
    if not wished and not kept:
        _keep(var, password)
    with database.writing() as connection:
        user = _administrator(connection)
        old, _ = kept_verifier(connection, user.uid)
    chosen = kept and not wished and old is not None
    if not chosen and not matches(old, password):
        _set_password(database, var, user, verifier(password))
    return password, not wished and not kept


def _administrator(connection: Connection) -> Document:
    if find(connection, Ref("Package", "default")) is None:
        create(connection, KINDS["Package"], "default", NAME, {}, actor=_ACTOR)
    user = find(connection, Ref("User", NAME))
    if user is not None:
        return user
    values = {"email": "admin@localhost", "full_name": "Administrator", "role": "admin"}
    return create(connection, KINDS["User"], NAME, NAME, values, actor=_ACTOR, reserved=True)


def _set_password(database: Database, var: Path, user: Document, made: str) -> None:
    hidden = {"name": user.name, "password": audit.MASKED}
    entry = audit.Entry(
        actor=_ACTOR,
        action="ghostcp admin",
        result="done",
        object_type="User",
        object_id=user.uid,
        owner=user.owner,
        before=hidden,
        after=hidden,
    )
    with database.writing() as connection:
        keep_verifier(connection, user.uid, made)
        audit.append(connection, var, entry)


def _kept(var: Path) -> str:
    try:
        return password_file(var).read_text().strip()
    except FileNotFoundError:
        return ""


def _keep(var: Path, password: str) -> None:
    var.mkdir(parents=True, exist_ok=True)
    place = password_file(var)
    draft = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{password}\n")
    draft.replace(place)
