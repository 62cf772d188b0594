"""Dry runs: the documents as they would be are left for a worker, and its report is waited for."""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from api.auth import Principal
from api.call import Call, House, Reply
from api.errors import NoWorker, problem
from api.views import difference, plan_view
from api.visibility import visible_documents
from api.writes import Written
from state.kinds import tenant_of
from state.plans import Plan, ask, forget_plan, get_plan, pack
from state.queue import ring
from state.tables import documents

PATIENCE = 60.0
ENDED = frozenset({"ready", "failed"})
_NOBODY = "no worker answered: start one with 'ghostcp worker'"
_LISTS = ("blocked", "unmanaged", "adopted")
_ACTIONS = ("create", "update", "replace", "delete")
_ENTRIES = ("changes", "blocked", "warnings")


class _Key(NamedTuple):
    """Which document a report is about."""

    kind: str
    name: str
    owner: str


def rehearse(
    call: Call, written: Sequence[Written], besides: Mapping[str, Any], guard: Mapping[str, Any] | None = None
) -> Reply:
    """Asks for the plan of what was written and rolled back, and answers with it and what is told `besides`."""
    scope = {"owner": _only({tenant_of(one.after) for one in written if not one.withheld})}
    asked = question(written) | {"writes": [], "prune": False, "guard": guard} | scope
    return rehearsed(call, asked, besides)


def _only(names: Collection[str]) -> str:
    """The one name, if there is just one: else all is looked at."""
    return next(iter(names)) if len(names) == 1 else ""


def rehearsed(call: Call, request: Mapping[str, Any], besides: Mapping[str, Any] | None = None) -> Reply:
    """Asks for a plan and answers with it; nothing of it is left."""
    plan_id, end = leave(call.house, call.principal, request, {}), time.monotonic() + PATIENCE

    def later() -> Reply | None:
        found = _answer(call, plan_id, 200)
        if found is None and time.monotonic() < end:
            return None
        with call.house.database.writing() as connection:
            forget_plan(connection, plan_id)
        return Reply(200, {**found.content, "id": None, **(besides or {})}) if found else nobody

    nobody = Reply(response=problem(NoWorker(_NOBODY)))
    return replace(nobody, later=later, seconds=PATIENCE + 1)


def question(written: Sequence[Written]) -> dict[str, Any]:
    """The documents as they would be, how they differ from those stored, and which of them who asks is not told of."""
    overlay = {document.uid: pack(document) for each in written for document in each.also}
    overlay |= {each.after.uid: pack(each.after, handed=each.handed) for each in written}
    befores = {each.after.uid: each.before for each in written}
    changed = [difference(befores.get(d.uid), d) for each in written for d in each.all]
    real = [d for d in changed if d["action"] == "delete" or d["fields"] or d["action"] == "create"]
    withheld = [each.after for each in written if each.withheld]
    told_of = {"overlay": list(overlay.values()), "documents": real}
    return told_of | {"withheld": [[d.kind, d.name, d.owner] for d in withheld]}


def leave(house: House, principal: Principal, request: Mapping[str, Any], base: Mapping[str, int]) -> str:
    """Leaves the question and wakes the workers; the plan's id."""
    with house.database.writing() as connection:
        plan_id = ask(connection, principal.name, request, base)
    ring(house.settings, str(request.get("target", "")))
    return plan_id


def answered(call: Call, plan_id: str, seconds: float, status: int) -> Reply:
    """Waits for the plan; when nobody answers, says so."""
    nobody = NoWorker(_NOBODY, plan=plan_id)
    return Reply(response=problem(nobody), later=lambda: _answer(call, plan_id, status), seconds=seconds)


def _answer(call: Call, plan_id: str, status: int) -> Reply | None:
    with call.house.database.reading() as connection:
        plan = get_plan(connection, plan_id)
        if plan.status not in ENDED:
            return None
        return Reply(status, plan_view(plan, report_for(connection, call.principal, plan)))


def report_for(connection: Connection, principal: Principal, plan: Plan) -> dict[str, Any] | None:
    """The plan's report as the principal may see it, with the verdicts of doors and worker together."""
    if plan.report is None:
        return None
    report = dict(plan.report)
    guard = _guard(plan.request.get("guard"), report.get("guard"))
    if principal.role == "admin":
        return report | {"guard": guard}
    withheld = _withheld(plan.request)
    report["documents"] = told_of(principal, plan.request, report.get("documents", ()))
    known, aside = _known(connection, principal, plan, report, withheld), _aside(plan, withheld)
    parts = [_part(part, known) for part in report.get("targets", ())]
    targets = [part for part in parts if part["target"] not in aside or any(map(part.get, _ENTRIES))]
    return report | {"guard": guard, "targets": targets, "totals": _totals(targets, report)}


def told_of(
    principal: Principal, request: Mapping[str, Any], differences: Iterable[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """How documents differ, of those that the principal may know of."""
    withheld = set[_Key]() if principal.role == "admin" else _withheld(request)
    return [each for each in differences if _key(each, "name") not in withheld]


def _withheld(request: Mapping[str, Any]) -> set[_Key]:
    return {_Key(*each) for each in request.get("withheld", ())}


def _key(entry: Mapping[str, Any], named: str) -> _Key:
    return _Key(str(entry["kind"]), str(entry[named]), str(entry["owner"]))


def _aside(plan: Plan, withheld: Collection[_Key]) -> set[str]:
    """The targets of which one would not know if nothing were withheld."""
    targets = {True: set[str](), False: set[str]()}
    for each in plan.request.get("overlay", ()):
        targets[_key(each, "name") in withheld].add(str(each.get("target", "")))
    return targets[True] - targets[False]


def _guard(*verdicts: Mapping[str, Any] | None) -> dict[str, Any]:
    refused = [str(each["message"]) for each in verdicts if each and not each["allowed"]]
    return {"allowed": not refused, "message": "; ".join(refused)}


def _known(
    connection: Connection,
    principal: Principal,
    plan: Plan,
    report: Mapping[str, Any],
    withheld: Collection[_Key],
) -> set[_Key]:
    """The documents of a report that the principal may know of: those it posted and those it sees."""
    parts = report.get("targets", ())
    entries = [entry for part in parts for name in _ENTRIES for entry in part.get(name, ())]
    names = sorted({str(entry["document"]) for entry in entries})
    known = {_key(each, "name") for each in plan.request.get("overlay", ())}.difference(withheld)
    for start in range(0, len(names), 500):
        query = select(documents.c.kind, documents.c.name, documents.c.owner).where(
            documents.c.name.in_(names[start : start + 500]), visible_documents(principal)
        )
        known |= {_Key(*row) for row in connection.execute(query)}
    return known


def _part(part: Mapping[str, Any], known: Collection[_Key]) -> dict[str, Any]:
    """A target's part without anybody else's documents, and without what only operators know."""

    def theirs(name: str) -> list[Any]:
        return [entry for entry in part.get(name, ()) if _key(entry, "document") in known]

    error = "the host could not be looked at" if part.get("error") else None
    hidden: dict[str, Any] = {"unmanaged": [], "adopted": [], "error": error}
    return {**part, **hidden, **{name: theirs(name) for name in _ENTRIES}}


def _totals(targets: Sequence[Mapping[str, Any]], report: Mapping[str, Any]) -> dict[str, int]:
    actions = [change["action"] for part in targets for change in part["changes"]]
    totals = {action: actions.count(action) for action in _ACTIONS}
    totals |= {name: sum(len(part[name]) for part in targets) for name in _LISTS}
    totals["unchanged"] = sum(part.get("unchanged", 0) for part in targets)
    totals["documents"] = len(report.get("documents", ()))
    totals["resources"] = totals["unchanged"] + len(actions)
    return totals
