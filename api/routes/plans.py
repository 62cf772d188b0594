"""Plans: dry runs of everything or of a posted set of documents, and making them come true."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select
from starlette.responses import Response

from api.access import signed_in
from api.asking import ask_for_plan
from api.besides import with_besides
from api.body import MIB
from api.call import Call, Deed, Reply
from api.collection import Collection, Rows, list_route
from api.door import Route
from api.foretold import check_base, check_foretold, check_ready
from api.negotiation import negotiate
from api.openapi.describe import JSON, Answer, Body, Docs
from api.openapi.parameters import IF_MATCH, path_parameters, write_parameters
from api.openapi.plan_shapes import PLAN, PLAN_SUMMARY
from api.openapi.posted import posted_set
from api.openapi.schemas import IDENTIFIER, listed, shape
from api.openapi.shapes import WRITTEN
from api.options import expect
from api.performing import perform as carry_out
from api.posted import perform
from api.posted_set import PostedSet
from api.rehearsal import report_for
from api.views import digest, etag, plan_view, time
from api.visibility import visible_plans
from state.certificates.companions import coming_with
from state.document import Document
from state.errors import NotFound
from state.listing import Field, Listing
from state.plans import Plan, forget_plan, get_plan
from state.report import as_markdown, as_text
from state.report_page import as_html
from state.tables import plans

LARGEST = 16 * MIB
FORMS = {"text/html": as_html, "text/markdown": as_markdown, "text/plain": as_text}


def _visible(call: Call, connection: Connection) -> Plan:
    plan_id = call.argument("id")
    query = select(plans.c.id).where(plans.c.id == plan_id, visible_plans(call.principal))
    if "\0" in plan_id or connection.execute(query).first() is None:
        raise NotFound("Resource not found", resource="plan", id=plan_id)
    return get_plan(connection, plan_id)


def _get(call: Call, connection: Connection) -> Reply:
    media = negotiate(call.request.headers.get("accept", ""), (JSON, *FORMS))
    plan = _visible(call, connection)
    report = report_for(connection, call.principal, plan)
    view = plan_view(plan, report)
    if media == JSON:
        return Reply(content=view, headers={"ETag": etag(digest(view), view), "Vary": "Accept"})
    text = FORMS[media](report) if report else f"The plan is {plan.status}: ask again.\n"
    headers = {"ETag": etag(digest(view), {"media": media, **view}), "Vary": "Accept"}
    return Reply(response=Response(text, media_type=f"{media}; charset=utf-8", headers=headers))


def _forget(call: Call) -> Reply:
    def work(connection: Connection) -> Reply:
        plan = _visible(call, connection)
        expect(call.request, digest(plan_view(plan, report_for(connection, call.principal, plan))))
        forget_plan(connection, plan.id)
        call.did(Deed("plan", plan.id, owner=plan.owner, before={"status": plan.status}))
        return Reply(204)

    return carry_out(call, work)


def _apply(call: Call) -> Reply:
    def work(connection: Connection) -> Reply:
        plan = _visible(call, connection)
        check_ready(plan, report_for(connection, call.principal, plan))
        check_base(connection, plan)
        outcome = perform(connection, call.principal, _posted(plan), plan.request.get("removals", ()))
        written = with_besides(call.house.database, connection, call.principal, outcome.written)
        check_foretold(call.principal, plan, written)
        after = [document for one in written if not one.withheld for document in one.all]
        told = [*after, *coming_with(connection, after)]
        return Reply(content={"id": plan.id, "documents": list(map(_written, told))}, written=outcome.written)

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
    200,
    "The plan, in the form that `Accept` asks for.",
    PLAN,
    media=(JSON, *FORMS),
    headers={"ETag": "Changes with what is shown."},
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
        search=("owner", "status"),
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
            write_parameters(creating=True),
            Body(posted_set(), {"a site": _POSTED}, required=False),
            "Without a body: of everything that one sees. It is kept for seven days, to be applied; as a dry run it "
            "is not kept.",
            errors=(403, 409, 504),
        ),
        writes=ask_for_plan,
        largest=LARGEST,
    ),
    Route(
        "GET",
        "/plans/{id}",
        "Get a plan, as JSON, HTML, Markdown or text",
        signed_in("plans:read"),
        Docs("plans", (_FOUND,), _PATH, errors=(406,)),
        reads=_get,
    ),
    Route(
        "DELETE",
        "/plans/{id}",
        "Forget a plan",
        signed_in("plans:write"),
        Docs("plans", (Answer(204, "It is gone."),), (*_PATH, *write_parameters(), IF_MATCH)),
        writes=_forget,
    ),
    Route(
        "POST",
        "/plans/{id}/apply",
        "Do what a plan says, unless something changed since",
        signed_in("documents:write"),
        Docs(
            "plans",
            (Answer(200, "What was written.", _APPLIED),),
            (*_PATH, *write_parameters(creating=True)),
            description="It writes documents of every kind: the scope `plans:write` alone can only ask for plans.",
            operation_id="applyPlan",
        ),
        writes=_apply,
    ),
)
