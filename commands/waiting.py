"""Waiting until documents are true: what is known of each, asked for again and again, with progress."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from commands.client import Client, Values
from commands.console import err
from state.kinds import KINDS

FINAL = frozenset({"ready", "blocked", "refused", "gone"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a document: ready, blocked, refused, gone, or still waiting; and why."""

    kind: str
    name: str
    state: str
    message: str = ""
    values: Values | None = None


def wait(client: Client, written: Iterable[Values], timeout: float) -> list[Outcome]:
    """Waits for documents ({id, kind, name, generation}) until no more can be expected, or time is up."""
    waiting = {str(each["id"]): each for each in written}
    outcomes: dict[str, Outcome] = {}
    deadline, pause = time.monotonic() + timeout, 0.3
    with progress_bar() as bar:
        task = bar.add_task("Converging", total=len(waiting))
        while waiting:
            outcomes |= _look(client, waiting)
            waiting = {uid: each for uid, each in waiting.items() if outcomes[uid].state not in FINAL}
            bar.update(task, completed=len(outcomes) - len(waiting), description=_shown(waiting))
            if not waiting or time.monotonic() > deadline:
                break
            time.sleep(pause)
            pause = min(pause * 1.5, 2.0)
    return [replace(o, state="ready") if o.state == "gone" else o for o in outcomes.values()]


def progress_bar() -> Progress:
    """How far something is, on standard error; silent where that is no terminal."""
    text = TextColumn("{task.description}", markup=False)
    columns = (SpinnerColumn(), text, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=err, disable=not err.is_terminal)


def state_of(values: Values, generation: int) -> tuple[str, str]:
    """What an object's conditions say of this generation of it: one word, and why."""
    conditions = {each["type"]: each for each in values.get("conditions", [])}
    ready, blocked = conditions.get("Ready", {}), conditions.get("Blocked", {})
    if int(values.get("observed_generation", 0)) < generation:
        return "waiting", "" if ready.get("status") else str(ready.get("message", ""))
    if ready.get("status", True):
        return "ready", ""
    if blocked.get("status"):
        return "blocked", str(blocked["message"])
    return "refused" if ready.get("reason") == "Refused" else "waiting", str(ready.get("message", ""))


def _look(client: Client, waiting: Mapping[str, Values]) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}
    for kind in dict.fromkeys(str(each["kind"]) for each in waiting.values()):
        mine = {uid: each for uid, each in waiting.items() if each["kind"] == kind}
        found_now = (values for values in client.of_kind(KINDS[kind]) if values["id"] in mine)
        seen = {str(values["id"]): values for values in found_now}
        for uid, each in mine.items():
            values = seen.get(uid)
            state, message = state_of(values, int(each["generation"])) if values else ("gone", "")
            found[uid] = Outcome(kind, str(each["name"]), state, message, values)
    return found


def _shown(waiting: Mapping[str, Values]) -> str:
    names = [str(each["name"]) for each in waiting.values()]
    return f"Converging {', '.join(names[:2])}{' …' if len(names) > 2 else ''}" if names else "Converged"
