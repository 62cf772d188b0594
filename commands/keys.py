"""Rotating the keys that tokens are signed and secrets are sealed with: a new one first, the old ones out later; and
renewing those that zones are handed on with."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Connection

from commands.console import plain
from commands.opening import opened
from state import keys, vault
from state.journal import audit
from state.settings import settings
from state.zones.transfer_keys import renew_keys

app = typer.Typer(help="Rotate the keys in GHOSTCP_VAR/keys, and those of zones.", no_args_is_help=True)


class Ring(Enum):
    """The keys that can be rotated; that of the audit can not, since its entries hang together by it."""

    TOKENS = "tokens"
    VAULT = "vault"


Chosen = Annotated[Ring, typer.Argument(help="tokens: of sessions; vault: of sealed secrets")]


@app.command()
def rotate(ring: Chosen) -> None:
    """Begin to use a new key; what was made with older ones stays good until `retire`. Needs no restart."""
    with opened() as database, database.writing() as connection:
        count = keys.rotate(settings().var, ring.value)
        _note(connection, settings().var, "rotate", ring.value, count)
    plain(
        f"A new key is in use; {count - 1} older ones are still believed, until `ghostcp keys retire {ring.value}`."
    )


@app.command()
def retire(ring: Chosen) -> None:
    """Drop all keys but the newest.

    Sessions that an older key signed end: twelve hours after `rotate` there are none. Sealed secrets are sealed
    again with the newest key first.
    """
    var = settings().var
    with opened() as database:
        if ring is Ring.VAULT:
            with database.writing() as connection:
                vault.reseal(connection, var)
        with database.writing() as connection:
            dropped = keys.retire(var, ring.value)
            _note(connection, var, "retire", ring.value, 1)
    plain(f"{dropped} older keys are dropped.")


@app.command()
def renew(
    zones: Annotated[list[str] | None, typer.Argument(help="zones; none: all", metavar="[ZONE]...")] = None,
) -> None:
    """Give zones new keys for the way to their secondaries (TSIG), instead of those that they have.

    Until both hosts have the new one, changes wait for some seconds; nothing stops being served.
    """
    var = settings().var
    with opened() as database, database.writing() as connection:
        count = renew_keys(connection, var, zones or ())
        _note(connection, var, "renew", "transfers", count)
    plain(f"{count} zones have new keys; their hosts get them now.")


def _note(connection: Connection, var: Path, verb: str, ring: str, left: int) -> None:
    entry = audit.Entry(
        actor="system",
        action=f"ghostcp keys {verb}",
        result="done",
        object_type="key",
        object_id=ring,
        after={"keys": left},
    )
    audit.append(connection, var, entry)
