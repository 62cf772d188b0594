"""Whether the audit is whole: every entry as it was written, and none missing."""

from typing import Annotated

import typer

from commands.console import Failed, plain
from commands.opening import opened
from state.journal.verifying import Head, verify
from state.settings import settings

app = typer.Typer(help="Look after the audit.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Look after the audit."""


@app.command("verify")
def verify_(
    expect_head: Annotated[
        str, typer.Option(metavar="N:HASH", help="a head that was noted earlier, elsewhere: it must be there")
    ] = "",
) -> None:
    """Follow the chain from the first entry to the last, and say how many there are and the head.

    Exit status: 0 all is as it was written, 1 something was changed or is missing.
    """
    noted = _head(expect_head) if expect_head else None
    with opened() as database, database.reading() as connection:
        verdict = verify(connection, settings().var, noted)
    if verdict.faults:
        raise Failed(*verdict.faults, f"{len(verdict.faults)} faults up to {verdict.head}")
    plain(f"{verdict.head.number} entries, as they were written. Head: {verdict.head}")


def _head(text: str) -> Head:
    number, _, digest = text.strip().partition(":")
    if not (number.isascii() and number.isdigit() and len(number) < 19 and len(digest) == 64):
        raise Failed(f"{text!r} is no head: it looks like 17:9f86d081… with 64 hexadecimal digits")
    return Head(int(number), digest.lower())
