"""Letting somebody in again who has lost the authenticator and the recovery codes: the machine's operator decides."""

from typing import Annotated

import typer

from commands.console import Failed, plain
from commands.opening import opened
from state import audit, second_factors
from state.document import Ref
from state.reading import find
from state.settings import settings


def disable_totp(username: Annotated[str, typer.Argument(help="whose second factor is lost")]) -> None:
    """Disable a user's second factor; the password is enough from then on. Be sure who asks you for it."""
    with opened() as database, database.writing() as connection:
        user = find(connection, Ref("User", username))
        if user is None or not second_factors.is_enabled(connection, user.uid):
            raise Failed(f"there is no user {username!r} with a second factor")
        second_factors.remove(connection, user.uid)
        audit.append(connection, settings().var, _entry(user.uid, username))
    plain(f"{username} logs in with the password alone.")


def _entry(uid: str, username: str) -> audit.Entry:
    return audit.Entry(
        actor="system",
        action="ghostcp disable-totp",
        result="done",
        object_type="second factor",
        object_id=uid,
        owner=username,
        before={"state": "enabled"},
    )
