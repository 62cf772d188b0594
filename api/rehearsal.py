"""Dry runs: the documents as they would be are left for a worker, and its report is waited for."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from api.auth import Principal
from api.call import Call, House, Reply
from api.errors import NoWorker, problem
from api.views import difference, plan_view
from api.visibility import visible_documents
from api.writes import Written
from state.database import Database
from state.document import OF
from state.kinds import KINDS, tenant_of
from state.plans import Plan, ask, forget_plan, get_plan, pack
from state.queue import ring
from state.reading import by_refs, by_uid
from state.tables import documents

PATIENCE = 60.0
ENDED = frozenset({"ready", "failed"})
_NOBODY = "no worker answered: start one with 'ghostcp worker'"
_LISTS = ("blocked", "unmanaged", "adopted")
_ACTIONS = ("create", "update", "replace", "delete")


def rehearse(
    call: Call, written: Sequence[Written], besides: Mapping[str, Any], guard: Mapping[str, Any] | None = None
) -> Reply:
    """Asks for the plan of what was written and rolled back, and answers with it and what is told `besides`."""
    scope = {"owner": _only({tenant_of(one.after) for one in written})}
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
    """The documents as they would be, and how they differ from those stored."""
    overlay = {document.uid: pack(document) for each in written for document in each.also}
    overlay |= {each.after.uid: pack(each.after, handed=each.handed) for each in written}
    befores = {each.after.uid: each.before for each in written}
    changed = [difference(befores.get(d.uid), d) for each in written for d in each.all]
    real = [d for d in changed if d["action"] == "delete" or d["fields"] or d["action"] == "create"]
    return {"overlay": list(overlay.values()), "documents": real}


def with_companions(
    database: Database, connection: Connection, written: Sequence[Written]
) -> tuple[Written, ...]:
    """The writes, and those of documents that come with what was written in this transaction."""
    known = {document.uid: document for one in written for document in one.all}
    refs = {ref for d in known.values() for ref in KINDS[d.kind].references(d) if ref.weak}
    with database.reading() as outside:
        before = {d.uid: d for d in by_refs(outside, refs) if d.kept.get(OF) in known}
    after = {d.uid: d for d in (*by_refs(connection, refs), *by_uid(connection, list(before)))}
    gone = {uid: replace(d, deleted_at=datetime.now(UTC)) for uid, d in before.items() if uid not in after}
    coming = {uid: d for uid, d in {**after, **gone}.items() if d.kept.get(OF) in known and uid not in known}
    touched = [
        d for d in coming.values() if d.deleted or d.uid not in before or before[d.uid].wanted != d.wanted
    ]
    return (*written, *(Written(before.get(document.uid), document) for document in touched))


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
    known = _known(connection, principal, plan, report)
    targets = [_part(part, known) for part in report.get("targets", ())]
    return report | {"guard": guard, "targets": targets, "totals": _totals(targets, report)}


def _guard(*verdicts: Mapping[str, Any] | None) -> dict[str, Any]:
    refused = [str(each["message"]) for each in verdicts if each and not each["allowed"]]
    return {"allowed": not refused, "message": "; ".join(refused)}


def _known(
    connection: Connection, principal: Principal, plan: Plan, report: Mapping[str, Any]
) -> set[tuple[str, str]]:
    """The documents of a report that the principal may know of: those it posted and those it sees."""
    parts = report.get("targets", ())
    entries = [
        entry for part in parts for name in ("changes", "blocked", "warnings") for entry in part.get(name, ())
    ]
    names = sorted({str(entry["document"]) for entry in entries})
    known = {(str(each["kind"]), str(each["name"])) for each in plan.request.get("overlay", ())}
    for start in range(0, len(names), 500):
        query = select(documents.c.kind, documents.c.name).where(
            documents.c.name.in_(names[start : start + 500]), visible_documents(principal)
        )
        known |= {(row.kind, row.name) for row in connection.execute(query)}
    return known


def _part(part: Mapping[str, Any], known: set[tuple[str, str]]) -> dict[str, Any]:
    """A target's part without anybody else's documents, and without what only operators know."""

    def theirs(name: str) -> list[Any]:
        return [entry for entry in part.get(name, ()) if (entry["kind"], entry["document"]) in known]

    error = "the host could not be looked at" if part.get("error") else None
    hidden: dict[str, Any] = {"unmanaged": [], "adopted": [], "error": error}
    return {**part, **hidden, **{name: theirs(name) for name in ("changes", "blocked", "warnings")}}


def _totals(targets: Sequence[Mapping[str, Any]], report: Mapping[str, Any]) -> dict[str, int]:
    actions = [change["action"] for part in targets for change in part["changes"]]
    totals = {action: actions.count(action) for action in _ACTIONS}
    totals |= {name: sum(len(part[name]) for part in targets) for name in _LISTS}
    totals["unchanged"] = sum(part.get("unchanged", 0) for part in targets)
    totals["documents"] = len(report.get("documents", ()))
    totals["resources"] = totals["unchanged"] + len(actions)
    return totals
