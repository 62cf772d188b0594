"""The first login: the package `default` and the administrator, made once in the database itself."""

import os
import secrets
from pathlib import Path

from state.database import Database
from state.document import Ref
from state.kinds import KINDS
from state.reading import find
from state.secrets import password_matches, set_password
from state.store import create

NAME = "admin"
_ACTOR = "system"


def password_file(var: Path) -> Path:
    """Where a password that was made up is kept (mode 0600)."""
    return var / "admin-password"


def ensure_administrator(database: Database, var: Path) -> tuple[str, bool]:
    """The administrator's password, and whether it is a new one that nobody has seen yet.

    It is that of ``GHOSTCP_ADMIN_PASSWORD``, else the one kept in `var`, else a random one.
    """
    wished = os.environ.get("GHOSTCP_ADMIN_PASSWORD", "")
    kept = _kept(var)
    password = wished or kept or secrets.token_urlsafe(18)
    if not wished and not kept:
        _keep(var, password)
    with database.writing() as connection:
        if find(connection, Ref("Package", "default")) is None:
            create(connection, KINDS["Package"], "default", NAME, {}, actor=_ACTOR)
        user = find(connection, Ref("User", NAME))
        if user is None:
            values = {"email": "admin@localhost", "full_name": "Administrator", "role": "admin"}
            user = create(connection, KINDS["User"], NAME, NAME, values, actor=_ACTOR, reserved=True)
        if not password_matches(connection, user.uid, password):
            set_password(connection, user.uid, password)
    return password, not wished and not kept


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
