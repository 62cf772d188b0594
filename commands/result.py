"""What became of a folder of documents: what is known of each, and what its site answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from commands.client import Client, Values
from commands.console import table
from commands.sites import Page, expected_status, fetch
from commands.waiting import Outcome, wait
from state.kinds import KINDS


@dataclass(frozen=True, slots=True)
class Row:
    """A document, what is known of it, and its site's page; `right` when all is as intended."""

    kind: str
    name: str
    known: str
    url: str
    page: str
    right: bool


def look(client: Client, documents: Sequence[Values], address: str, timeout: float) -> list[Row]:
    """Waits for the documents, then asks their sites at `address`."""
    wanted = {(each["kind"], each["metadata"]["name"]) for each in documents}
    written, owners = [], {}
    for kind in KINDS.values():
        for values in client.of_kind(kind):
            name = str(values[kind.name_field])
            if kind.owns:
                owners[str(values["id"])] = bool(values.get("is_suspended"))
            if (kind.name, name) in wanted:
                generation = values.get("generation", 1)
                written.append(
                    {"id": values["id"], "kind": kind.name, "name": name, "generation": generation}
                )
    return [_row(outcome, owners, address) for outcome in wait(client, written, timeout)]


def shown(rows: Sequence[Row]) -> Table:
    """The rows as a table."""
    cells = [(row.kind, row.name, row.known, row.url, row.page) for row in rows]
    return table("What is up", ("kind", "document", "conditions", "URL", "fetched"), cells)


def _row(outcome: Outcome, owners: dict[str, bool], address: str) -> Row:
    values: dict[str, Any] = dict(outcome.values or {})
    known = _known(values) or outcome.state.capitalize()
    ready = outcome.state == "ready"
    if "document_root" not in values:
        return Row(outcome.kind, outcome.name, known, "", "", ready)
    suspended = owners.get(str(values.get("user_id")), False)
    expected = expected_status(values, owner_suspended=suspended)
    page = fetch(address, outcome.name, expected) if ready else Page(0, "not asked")
    note = " (suspended)" if expected != 200 else ""
    url = f"http://{outcome.name}/"
    return Row(
        outcome.kind, outcome.name, f"{known}{note}", url, str(page), ready and page.status == expected
    )


def _known(values: Values) -> str:
    conditions = values.get("conditions", [])
    held = [f"{c['type']}: {c['message']}" for c in conditions if c["status"] and c["type"] != "Ready"]
    ready = [c for c in conditions if c["type"] == "Ready"]
    first = ["Ready" if c["status"] else f"not ready: {c['message']}" for c in ready]
    return "; ".join((*first, *held))
