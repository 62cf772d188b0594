"""What would change, and making it so: dry runs and their application."""

import json
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from commands.client import Client, Values
from commands.console import CHANGES, GUARDED, Failed, end, err, out, plain, table
from commands.documents import given, naming, posted
from commands.login import connect
from commands.waiting import Outcome, wait
from state.report import as_markdown, as_text, blocked_by_guard

MADE = ("create", "update", "replace", "delete")
_TAKEN, _MADE = 30.0, 600.0

Folder = Annotated[Path, typer.Option("--file", "-f", metavar="DIR", help="a folder of documents, or a file")]
Prune = Annotated[bool, typer.Option("--prune", help="delete what is stored but no longer in DIR")]
Allowed = Annotated[
    int, typer.Option("--allow-deletes", min=0, metavar="N", help="let --prune delete up to N documents")
]


class Format(StrEnum):
    """How a plan is shown."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


Shown = Annotated[Format, typer.Option("--format", help="how the plan is shown")]


def plan(
    folder: Folder, *, prune: Prune = False, allow_deletes: Allowed = 0, format_: Shown = Format.TEXT
) -> None:
    """Say exactly what `apply` would do, and do nothing.

    Exit status: 0 nothing would change, 2 something would, 3 the guard forbids it, 1 an error.
    """
    documents = given(folder)
    with connect() as client, naming(documents):
        made = ask(client, {"documents": posted(documents), "prune": prune, "allow_deletes": allow_deletes})
    _show(made["report"], format_)
    end(verdict(made["report"]))


def diff(*, format_: Shown = Format.TEXT) -> None:
    """Look at the hosts now and say how they differ from what is stored.

    Exit status: 0 they do not, 2 they do, 3 the guard forbids making them alike, 1 an error.
    """
    with connect() as client:
        made = ask(client, {})
    _show(made["report"], format_)
    end(verdict(made["report"]))


def apply(
    folder: Folder,
    *,
    prune: Prune = False,
    allow_deletes: Allowed = 0,
    timeout: Annotated[float, typer.Option(min=1, help="seconds to wait until all is so")] = 300,
) -> None:
    """Make it so: show the plan, store the documents, and wait until the hosts are as wanted.

    Exit status: 0 all is ready, 3 the guard forbids it, 1 an error, or a document that is not ready.
    """
    documents = given(folder)
    with connect() as client, naming(documents):
        made = ask(client, {"documents": posted(documents), "prune": prune, "allow_deletes": allow_deletes})
        _show(made["report"], Format.TEXT)
        outcomes = carry_out(client, made, timeout)
    late = [each for each in outcomes if each.state != "ready"]
    if late:
        rows = [(each.kind, each.name, each.state, each.message) for each in late]
        out.print(table("Not ready", ("kind", "name", "state", "why"), rows))
        raise Failed(f"{len(late)} of {len(outcomes)} documents are not ready")
    err.print(f"All is ready: {len(outcomes)} documents." if outcomes else "Nothing to change.")


def ask(client: Client, body: Values) -> Values:
    """A finished plan. Raises Failed when it could not be made."""
    made = client.post("/plans", body)
    began = time.monotonic()
    with err.status("Waiting for a worker…") as status:
        while made["status"] in {"pending", "running"}:
            taken, waited = made["status"] == "running", time.monotonic() - began
            if taken:
                status.update("Looking at the hosts…")
            if waited > (_MADE if taken else _TAKEN):
                raise Failed("no worker has answered: is one running (ghostcp worker)?")
            time.sleep(0.2)
            made = client.get(f"/plans/{made['id']}")
    report = made.get("report") or {}
    if made["status"] == "failed" or "guard" not in report:
        raise Failed(
            f"the plan could not be made: {report.get('error') or report.get('message') or 'unknown'}"
        )
    return made


def verdict(report: Values) -> int:
    """The exit status that a plan stands for."""
    if blocked_by_guard(report):
        return GUARDED
    errors = [part["error"] for part in report["targets"] if part.get("error")]
    if errors:
        raise Failed(*errors)
    return CHANGES if changes(report) else 0


def changes(report: Values) -> bool:
    """Whether a document or a resource would be another one afterwards."""
    written = any(each["action"] in MADE for each in report.get("documents", []))
    return written or any(report["totals"].get(action, 0) for action in MADE)


def carry_out(client: Client, made: Values, timeout: float) -> list[Outcome]:
    """Applies a plan and waits; what became of each document. Raises Failed when the guard forbids it."""
    report = made["report"]
    if blocked_by_guard(report):
        messages = [part["guard"]["message"] for part in (report, *report["targets"])]
        raise Failed(*dict.fromkeys(filter(None, messages)), status=GUARDED)
    if not changes(report):
        return []
    written: list[Any] = client.post(f"/plans/{made['id']}/apply", {})["documents"]
    return wait(client, written, timeout)


def _show(report: Values, format_: Format) -> None:
    if format_ is Format.JSON:
        plain(json.dumps(report, indent=2, ensure_ascii=False))
    else:
        plain((as_text if format_ is Format.TEXT else as_markdown)(report).rstrip("\n"))
