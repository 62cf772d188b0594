"""A plan as data: the versioned report that dry runs, jobs and drift are shown with."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from reconciler.changes import Action, Change, Plan
from reconciler.guard import Verdict
from state.compiling import Reason
from state.document import Document

VERSION = 1
_LISTS = ("changes", "blocked", "warnings", "unmanaged", "adopted")


def target_report(
    target: str,
    plan: Plan,
    documents: Mapping[str, Document],
    outcomes: Mapping[str, tuple[Reason, ...]],
    verdict: Verdict,
    warnings: Mapping[str, tuple[Reason, ...]] = MappingProxyType({}),
) -> dict[str, Any]:
    """One target's part. `outcomes` are the reasons, by uid, for which documents are held, `warnings` what else there
    is to be known of them."""
    held = {uid: (*outcomes.get(uid, ()), *plan.blocked.get(uid, ())) for uid in {*outcomes, *plan.blocked}}
    return {
        "target": target,
        "changes": [change_report(change, documents.get(change.document)) for change in plan.changes],
        "blocked": _reasons(held, documents),
        "warnings": _reasons(warnings, documents),
        "unmanaged": list(plan.unmanaged),
        "adopted": list(plan.adopted),
        "unchanged": plan.unchanged,
        "guard": {"allowed": verdict.allowed, "message": verdict.message},
        "error": None,
    }


def _reasons(
    told: Mapping[str, tuple[Reason, ...]], documents: Mapping[str, Document]
) -> list[dict[str, str]]:
    return [
        {**_named(documents.get(uid)), "reason": reason.code, "message": reason.message}
        for uid, reasons in sorted(told.items())
        for reason in reasons
    ]


def failed_report(target: str, message: str) -> dict[str, Any]:
    """The part of a target that could not be looked at."""
    empty: dict[str, Any] = {name: [] for name in _LISTS}
    return {
        "target": target,
        **empty,
        "unchanged": 0,
        "guard": {"allowed": True, "message": ""},
        "error": message,
    }


def whole_report(parts: list[dict[str, Any]], documents: list[dict[str, Any]]) -> dict[str, Any]:
    """The report of several targets, with every total stated."""
    refused = [part["guard"]["message"] for part in parts if not part["guard"]["allowed"]]
    totals = {action.value: 0 for action in Action}
    for part in parts:
        for change in part["changes"]:
            totals[change["action"]] += 1
    for name in ("blocked", "unmanaged", "adopted"):
        totals[name] = sum(len(part[name]) for part in parts)
    totals["unchanged"] = sum(part["unchanged"] for part in parts)
    totals["documents"] = len(documents)
    totals["resources"] = totals["unchanged"] + sum(totals[a.value] for a in Action) + totals["adopted"]
    guard = {"allowed": not refused, "message": "; ".join(refused)}
    return {"version": VERSION, "targets": parts, "documents": documents, "guard": guard, "totals": totals}


def change_report(change: Change, document: Document | None) -> dict[str, Any]:
    """One change as values."""
    return {
        "action": change.action.value,
        **_named(document),
        "resource": change.key,
        "cause": change.cause.value,
        "effect": change.effect.value,
        "service": change.service,
        "fields": [{"field": n, "before": b, "after": a} for n, b, a in change.fields],
        "diff": change.diff,
    }


def _named(document: Document | None) -> dict[str, str]:
    if document is None:
        return {"kind": "Host", "document": "", "owner": ""}
    return {"kind": document.kind, "document": document.name, "owner": document.owner}
