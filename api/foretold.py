"""Whether a plan may be carried out: what it foretold is what is done, or nothing is."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from api.auth import Principal
from api.rehearsal import ENDED, question, told_of
from api.writes import Written
from state.document import Ref
from state.errors import Conflict
from state.plans import Plan
from state.reading import by_uid, find


def check_ready(plan: Plan, report: dict[str, Any] | None) -> None:
    if plan.status not in ENDED or report is None:
        raise Conflict("the plan has no report yet: wait for it", code="plan_not_ready")
    if plan.status == "failed":
        raise Conflict("the plan could not be made: make a new one", code="plan_failed")
    if not report["guard"]["allowed"]:
        raise Conflict(f"the guard blocks this plan: {report['guard']['message']}", code="plan_blocked")


def check_base(connection: Connection, plan: Plan) -> None:
    """Raises Conflict when anything that the plan was made against has changed since."""
    found = {d.uid: d for d in by_uid(connection, list(plan.base)) if not d.deleted}
    for key, generation in plan.base.items():
        if generation and (key not in found or found[key].generation != generation):
            raise _stale(key)
        if not generation and find(connection, Ref(key.partition("/")[0], key.partition("/")[2])) is not None:
            raise _stale(key)


def check_foretold(principal: Principal, plan: Plan, written: Sequence[Written]) -> None:
    """Raises Conflict when something else was written than the plan tells the principal of."""
    foretold, done = (_in_one_order(principal, request) for request in (plan.request, question(written)))
    if foretold != done:
        raise _stale()


def _in_one_order(principal: Principal, request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    told = told_of(principal, request, request["documents"])
    return sorted(told, key=lambda each: [each[name] for name in ("kind", "name", "owner", "action")])


def _stale(key: str | None = None) -> Conflict:
    told = {"changed": key} if key else {}
    return Conflict("something changed since this plan was made: make a new one", code="stale_plan", **told)
