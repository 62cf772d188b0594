"""One object of each sort that `authorisation.TABLE` has, made for somebody past the API: what names it in a path."""

from collections.abc import Callable

from sqlalchemy import func, select

from state import store
from state.access import api_tokens
from state.job_queue import take_job
from state.jobs import add_job, finish_job
from state.journal import audit, webhooks
from state.journal.deliveries import ping
from state.journal.tables import audit as audit_table
from state.journal.webhooks import Wish
from state.kind import Kind
from state.kinds import KINDS
from state.plans import answer, ask
from state.reading import get
from tests.api.conftest import World, report_of

Arguments = dict[str, str]


def _package(world: World, owner: str) -> Arguments:
    with world.database.writing() as connection:
        return {"id": store.create(connection, KINDS["Package"], f"for-{owner}", "", {}, actor="setup").uid}


def _domain(world: World, owner: str) -> Arguments:
    return {"id": world.site(f"{owner}.example", owner).uid}


def _certificate(world: World, owner: str) -> Arguments:
    with world.database.writing() as connection:
        name = f"{owner}.example"
        made = store.create(connection, KINDS["Certificate"], name, owner, {}, actor="setup")
        return {"id": made.uid}


def _zone(world: World, owner: str) -> Arguments:
    return {"id": world.zone(f"{owner}.example", owner).uid}


def _record(world: World, owner: str) -> Arguments:
    zone = world.zone(f"{owner}.example", owner)
    return {"zone_id": zone.uid, "id": world.record(zone, "www").uid}


def _job(world: World, owner: str) -> Arguments:
    with world.database.writing() as connection:
        return {"id": add_job(connection, "reconcile", owner=owner, target="web1")}


def _ended_job(world: World, owner: str) -> Arguments:
    job = _job(world, owner)
    with world.database.writing() as connection:
        take_job(connection, "web1", {"reconcile"}, "test")
        finish_job(connection, job["id"], "failed", {}, "it failed")
    return job


def _waiting_job(world: World, owner: str) -> Arguments:
    with world.database.writing() as connection:
        return {"id": add_job(connection, "reconcile", owner=owner, target="web1")}


def _plan(world: World, owner: str) -> Arguments:
    request = {"overlay": [], "documents": [], "writes": [], "owner": owner}
    with world.database.writing() as connection:
        plan = ask(connection, owner, request, {})
        answer(connection, plan, "ready", report_of(request))
    return {"id": plan}


def _audit_entry(world: World, owner: str) -> Arguments:
    with world.database.writing() as connection:
        entry = audit.Entry(actor=owner, actor_id=world.uids[owner], action="POST /x", result="done")
        audit.append(connection, world.settings.var, entry)
        return {"id": str(connection.execute(select(func.max(audit_table.c.id))).scalar_one())}


def document(world: World, owner: str, kind: Kind = KINDS["WebDomain"]) -> Arguments:
    """A document of the kind, made as an object of it is."""
    made = MAKERS[kind.topic](world, owner)
    with world.database.reading() as connection:
        return {"kind": kind.name, "name": get(connection, made["id"]).name}


def _token(world: World, owner: str) -> Arguments:
    with world.database.writing() as connection:
        wish = api_tokens.Wish("deployment", ("domains:read",))
        return {"id": api_tokens.add(connection, world.uids[owner], wish, world.clock())[0]}


def _webhook(world: World, owner: str) -> Arguments:
    wish = Wish("https://203.0.114.1/hook", ("job.failed",), secret="a secret")
    with world.database.writing() as connection:
        return {"id": webhooks.add(connection, world.settings.var, world.uids[owner], wish)}


def _delivery(world: World, owner: str) -> Arguments:
    hook = _webhook(world, owner)["id"]
    with world.database.writing() as connection:
        return {"webhook_id": hook, "id": ping(connection, hook)}


MAKERS: dict[str, Callable[[World, str], Arguments]] = {
    "package": _package,
    "user": lambda world, owner: {"id": world.uids[owner]},
    "domain": _domain,
    "ssl.certificate": _certificate,
    "dns.zone": _zone,
    "dns.record": _record,
    "job": _job,
    "waiting job": _waiting_job,
    "ended job": _ended_job,
    "failed job": _ended_job,
    "plan": _plan,
    "audit entry": _audit_entry,
    "document": document,
    "host": lambda _, __: {"id": "web1"},
    "token": _token,
    "webhook": _webhook,
    "delivery": _delivery,
}
