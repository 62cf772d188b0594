"""The command line of GhostCP: the only place where doors and verbs meet."""

import sys
from collections.abc import Sequence
from typing import NoReturn

import typer
from pydantic import ValidationError

from commands import (
    audit,
    check,
    documents,
    hosts,
    keys,
    lab,
    letting_in,
    login,
    plans,
    providers,
    serve,
    up,
    zones,
)
from commands.console import Failed, err
from state.settings import settings
from state.validation import faults_of

app = typer.Typer(
    name="ghostcp",
    help="A hosting control plane: desired state in documents, made true on servers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(lab.app, name="lab")
app.add_typer(keys.app, name="keys")
app.add_typer(audit.app, name="audit")
app.add_typer(zones.app, name="import")
app.add_typer(providers.app, name="providers")
for command in (
    *(up.up, serve.api, serve.worker, serve.migrate, serve.admin, check.check),
    *(letting_in.disable_totp, letting_in.know_address),
    *(login.login, documents.validate, plans.plan, plans.apply, plans.diff, documents.export),
    *(hosts.hosts, hosts.drift, hosts.jobs),
):
    app.command()(command)


_MISUSED = 2
"""What Click ends with when a command is used wrongly: from commands of ours, it says that something would change."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and ends the process with its exit status."""
    try:
        settings()
        app(args=None if arguments is None else list(arguments), prog_name="ghostcp")
    except ValidationError as error:
        _fail([f"GHOSTCP_{fault.field.upper()}: {fault.message}" for fault in faults_of(error)], 1)
    except SystemExit as ended:
        sys.exit(1 if ended.code == _MISUSED else ended.code)
    except Failed as failure:
        _fail(failure.lines, failure.status)


def _fail(lines: Sequence[str], status: int) -> NoReturn:
    for line in lines:
        err.print(line, style="red", markup=False)
    sys.exit(status)


if __name__ == "__main__":
    main()
