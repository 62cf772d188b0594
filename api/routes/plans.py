"""Plans: dry runs of everything or of a posted set of documents, and making them come true."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select
from starlette.responses import Response

from api.access import signed_in, visible_documents, visible_plans
from api.body import MIB
from api.call import Call, Reply
from api.collection import Collection, Rows, list_route
from api.describe import JSON, Answer, Body, Docs
from api.door import Route
from api.openapi import path_parameters, write_parameters
from api.options import options
from api.performing import perform as carry_out
from api.posted import Outcome, PostedSet, perform, understand
from api.rehearsal import ENDED, answered, leave, question, report_for
from api.schemas import IDENTIFIER, listed, shape
from api.shapes import PLAN, PLAN_SUMMARY, WRITTEN
from api.views import plan_view, time
from state.document import Document, Ref
from state.errors import Conflict, Fault, Invalid, NotFound
from state.listing import Field, Listing
from state.plans import Plan, get_plan
from state.reading import by_uid, find
from state.report import as_markdown, as_text
from state.tables import documents, plans

LARGEST = 16 * MIB


def _ask(call: Call) -> Reply:
    asked = options(call.request)
    posted = understand(call.json())
    with call.house.database.rehearsing() as connection:
        _check_scope(call, connection, posted)
        outcome = perform(connection, call.principal, posted)
    request: dict[str, Any] = question(outcome.written) | {
        "writes": posted.model_dump(mode="json")["documents"],
        "prune": posted.prune,
        "owner": posted.owner or ("" if call.principal.role == "admin" else call.principal.name),
        "scope_owner": posted.owner,
        "target": posted.host or "",
        "removals": list(outcome.removals),
        "allow_deletes": posted.allow_deletes,
        "guard": _guard(posted, outcome),
    }
    plan_id = leave(call.house, call.principal, request, outcome.base)
    with call.house.database.reading() as connection:
        plan = get_plan(connection, plan_id)
    headers = {"Location": f"/api/v1/plans/{plan_id}"}
    later = answered(call, plan_id, asked.wait, 201).later if asked.wait else None
    return Reply(201, plan_view(plan, None), headers, later=later, seconds=asked.wait)


def _guard(posted: PostedSet, outcome: Outcome) -> dict[str, Any]:
    """Few deletions are allowed by themselves, many only when their number is said."""
    budget = max(3, outcome.scope // 4, posted.allow_deletes)
    if outcome.deleted <= budget:
        return {"allowed": True, "message": ""}
    message = (
        f"{outcome.deleted} of {outcome.scope} documents would be deleted, {budget} may be: "
        f"post them, or say allow_deletes: {outcome.deleted}"
    )
    return {"allowed": False, "message": message}


def _check_scope(call: Call, connection: Connection, posted: PostedSet) -> None:
    """Raises Invalid when the owner named is not one that the principal sees."""
    if posted.owner is None:
        return
    mine = documents.c.deleted_at.is_(None) & visible_documents(call.principal)
    query = select(documents.c.uid).where(documents.c.kind == "User", documents.c.name == posted.owner, mine)
    if connection.execute(query).first() is None:
        raise Invalid([Fault("owner", f"there is no user {posted.owner!r}")])


def _visible(call: Call, connection: Connection) -> Plan:
    plan_id = call.argument("id")
    query = select(plans.c.id).where(plans.c.id == plan_id, visible_plans(call.principal))
    if "\0" in plan_id or connection.execute(query).first() is None:
        raise NotFound("Resource not found", resource="plan", id=plan_id)
    return get_plan(connection, plan_id)


def _get(call: Call, connection: Connection) -> Reply:
    plan = _visible(call, connection)
    report = report_for(connection, call.principal, plan)
    accepted = call.request.headers.get("accept", "")
    if report is not None and "targets" in report:
        if "text/markdown" in accepted:
            return _text(as_markdown(report), "text/markdown")
        if "text/plain" in accepted:
            return _text(as_text(report), "text/plain")
    return Reply(content=plan_view(plan, report))


def _text(text: str, media: str) -> Reply:
    return Reply(response=Response(text, media_type=f"{media}; charset=utf-8"))


def _apply(call: Call) -> Reply:
    def work(connection: Connection) -> Reply:
        plan = _visible(call, connection)
        _check_ready(plan, report_for(connection, call.principal, plan))
        _check_base(connection, plan)
        outcome = perform(connection, call.principal, _posted(plan), plan.request.get("removals", ()))
        after = [document for one in outcome.written for document in one.all]
        return Reply(
            content={"id": plan.id, "documents": list(map(_written, after))}, written=outcome.written
        )

    return carry_out(call, work)


def _written(document: Document) -> dict[str, Any]:
    """A document that was written, in short."""
    return {
        "id": document.uid,
        "kind": document.kind,
        "name": document.name,
        "owner": document.owner,
        "generation": document.generation,
        "deleted": document.deleted,
    }


def _posted(plan: Plan) -> PostedSet:
    request = plan.request
    return PostedSet.model_validate(
        {
            "documents": request.get("writes", []),
            "prune": request.get("prune", False),
            "owner": request.get("scope_owner"),
            "host": request.get("target") or None,
            "allow_deletes": request.get("allow_deletes", 0),
        }
    )


def _check_ready(plan: Plan, report: dict[str, Any] | None) -> None:
    if plan.status not in ENDED or report is None:
        raise Conflict("the plan has no report yet: wait for it", code="plan_not_ready")
    if plan.status == "failed":
        raise Conflict("the plan could not be made: make a new one", code="plan_failed")
    if not report["guard"]["allowed"]:
        raise Conflict(f"the guard blocks this plan: {report['guard']['message']}", code="plan_blocked")


def _check_base(connection: Connection, plan: Plan) -> None:
    """Raises Conflict when anything that the plan was made against has changed since."""
    found = {d.uid: d for d in by_uid(connection, list(plan.base)) if not d.deleted}
    for key, generation in plan.base.items():
        if generation and (key not in found or found[key].generation != generation):
            raise _stale(key)
        if not generation and find(connection, Ref(*key.split("/", 1))) is not None:
            raise _stale(key)


def _stale(key: str) -> Conflict:
    return Conflict(
        "something changed since this plan was made: make a new one", code="stale_plan", changed=key
    )


def _summaries(_: Call, __: Connection, rows: Rows) -> list[dict[str, Any]]:
    return [
        {"id": row.id, "status": row.status, "owner": row.owner, "created_at": time(row.created_at)}
        for row in rows
    ]


_PATH = path_parameters("/{id}")
_APPLIED = shape("AppliedPlan", {"id": IDENTIFIER, "documents": listed(WRITTEN)})
_MADE = Answer(
    201,
    "The plan; its report comes when a worker has made it.",
    PLAN,
    headers={"Location": "Where the plan is."},
)
_FOUND = Answer(
    200, "The plan, in the form that `Accept` asks for.", PLAN, media=(JSON, "text/markdown", "text/plain")
)
_POSTED = {
    "owner": "anna",
    "documents": [
        {
            "kind": "WebDomain",
            "metadata": {"name": "newsite.com", "owner": "anna"},
            "spec": {"backend_template": "PHP-8.3"},
        }
    ],
}
PLANS = Collection(
    "/plans",
    "plans",
    "plan",
    "plans",
    select(plans.c.id, plans.c.status, plans.c.owner, plans.c.created_at),
    plans,
    Listing(
        {
            "id": Field(plans.c.id, UUID),
            "status": Field(plans.c.status, str),
            "owner": Field(plans.c.owner, str),
            "created_at": Field(plans.c.created_at, datetime),
        },
        order="desc",
    ),
    lambda call, _: visible_plans(call.principal),
    _summaries,
    PLAN_SUMMARY,
)
ROUTES = (
    list_route(PLANS),
    Route(
        "POST",
        "/plans",
        "Ask what would be done, for everything or for posted documents",
        signed_in("plans:write"),
        Docs(
            "plans",
            (_MADE,),
            tuple(each for each in write_parameters() if each.name == "wait"),
            Body(PostedSet.model_json_schema(), {"a site": _POSTED}, required=False),
            "Without a body: of everything that one sees. It is itself the dry run.",
            errors=(403, 409, 504),
        ),
        writes=_ask,
        largest=LARGEST,
    ),
    Route(
        "GET",
        "/plans/{id}",
        "Get a plan, as JSON, text/plain or text/markdown",
        signed_in("plans:read"),
        Docs("plans", (_FOUND,), _PATH),
        reads=_get,
    ),
    Route(
        "POST",
        "/plans/{id}/apply",
        "Do what a plan says, unless something changed since",
        signed_in("plans:write"),
        Docs(
            "plans",
            (Answer(200, "What was written.", _APPLIED),),
            (*_PATH, *write_parameters(creating=True)),
        ),
        writes=_apply,
    ),
)
