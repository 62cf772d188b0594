"""Letting somebody in again who cannot get in: the machine's operator decides."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from sqlalchemy import Connection

from api.address import counted, normal
from commands.console import Failed, plain
from commands.opening import opened
from state.access import attempts, second_factors
from state.document import Document, Ref
from state.journal import audit
from state.reading import find
from state.settings import settings


def disable_totp(username: Annotated[str, typer.Argument(help="whose second factor is lost")]) -> None:
    """Disable a user's second factor; the password is enough from then on. Be sure who asks you for it."""
    with opened() as database, database.writing() as connection:
        user = find(connection, Ref("User", username))
        if user is None or not second_factors.is_enabled(connection, user.uid):
            raise Failed(f"there is no user {username!r} with a second factor")
        second_factors.remove(connection, user.uid)
        _note(connection, "disable-totp", "second factor", user, before={"state": "enabled"})
    plain(f"{username} logs in with the password alone.")


def know_address(
    username: Annotated[str, typer.Argument(help="who is kept waiting")],
    address: Annotated[str, typer.Argument(help="the IPv4 or IPv6 address that they come from")],
) -> None:
    """Let a user log in from an address, whatever failed elsewhere: while others guess at the password."""
    if not (plain_form := normal(address)):
        raise Failed(f"{address!r} is no IPv4 or IPv6 address")
    network = counted(plain_form)
    with opened() as database, database.writing() as connection:
        user = find(connection, Ref("User", username))
        if user is None:
            raise Failed(f"there is no user {username!r}")
        until = attempts.vouch(connection, username, network, datetime.now(UTC))
        _note(connection, "know-address", "known address", user, after={"address": network})
    plain(f"{username} is known at {network} until {until:%Y-%m-%d}.")


def _note(
    connection: Connection,
    command: str,
    thing: str,
    user: Document,
    *,
    before: dict[str, str] | None = None,
    after: dict[str, str] | None = None,
) -> None:
    entry = audit.Entry(
        actor="system",
        action=f"ghostcp {command}",
        result="done",
        object_type=thing,
        object_id=user.uid,
        owner=user.name,
        before=before,
        after=after,
    )
    audit.append(connection, settings().var, entry)
