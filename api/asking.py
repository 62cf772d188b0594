"""Asking for a plan: what the posted documents would write is tried and undone, and the question left for a worker."""

from typing import Any

from sqlalchemy import Connection, select

from api.besides import with_besides
from api.call import Call, Deed, Reply
from api.kept_answers import key_of
from api.options import options
from api.performing import perform as carry_out
from api.posted import perform
from api.posted_set import PostedSet, understand
from api.rehearsal import answered, question, rehearsed
from api.removing import verdict
from api.views import plan_view
from api.visibility import visible_documents
from api.wholes import refuse_lacks
from state.database import undone
from state.errors import Fault, Invalid
from state.plans import ask, get_plan
from state.queue import ring
from state.tables import documents


def ask_for_plan(call: Call) -> Reply:
    """The new plan, or as a dry run its report, with nothing left."""
    asked, posted = options(call.request), understand(call.json() if call.content else {})
    if asked.dry_run:
        key_of(call)
        with call.house.database.rehearsing() as connection:
            request, _ = _request(call, connection, posted)
        return rehearsed(call, request)

    def work(connection: Connection) -> Reply:
        with undone(connection):
            request, base = _request(call, connection, posted)
        plan_id = ask(connection, call.principal.name, request, base)
        view = plan_view(get_plan(connection, plan_id), None)
        told = {"documents": len(request["writes"]), **{n: request[n] for n in ("prune", "owner", "target")}}
        call.did(Deed("plan", plan_id, owner=call.principal.name, after=told))
        later = answered(call, plan_id, asked.wait, 201).later
        return Reply(201, view, {"Location": f"/api/v1/plans/{plan_id}"}, later=later)

    reply = carry_out(call, work)
    ring(call.house.settings, posted.host or "")
    return reply


def _request(call: Call, connection: Connection, posted: PostedSet) -> tuple[dict[str, Any], dict[str, int]]:
    """What a worker is asked, and the generations that its answer will be about."""
    _check_scope(call, connection, posted)
    outcome = perform(connection, call.principal, posted)
    refuse_lacks(connection, call.house.settings, outcome.written)
    written = with_besides(call.house.database, connection, call.principal, outcome.written)
    request = question(written) | {
        "writes": posted.model_dump(mode="json")["documents"],
        "prune": posted.prune,
        "owner": posted.owner or ("" if call.principal.role == "admin" else call.principal.name),
        "scope_owner": posted.owner,
        "target": posted.host or "",
        "removals": list(outcome.removals),
        "allow_deletes": posted.allow_deletes,
        "guard": verdict(outcome.deleted, outcome.scope, posted.allow_deletes, "documents"),
    }
    return request, dict(outcome.base)


def _check_scope(call: Call, connection: Connection, posted: PostedSet) -> None:
    """Raises Invalid when the owner named is not one that the principal sees."""
    if posted.owner is None:
        return
    mine = documents.c.deleted_at.is_(None) & visible_documents(call.principal)
    query = select(documents.c.uid).where(documents.c.kind == "User", documents.c.name == posted.owner, mine)
    if connection.execute(query).first() is None:
        raise Invalid([Fault("owner", f"there is no user {posted.owner!r}")])
