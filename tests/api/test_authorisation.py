"""Every route of the OpenAPI document, as every role, on every sort of object: as the one table says."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from state import api_tokens, audit, webhooks
from state.deliveries import ping
from state.job_queue import take_job
from state.jobs import add_job, finish_job
from state.journal_tables import audit as audit_table
from state.plans import answer, ask
from state.webhooks import Wish
from tests.api.authorisation import ROLES, TABLE, Row
from tests.api.conftest import BASE, World, Worlds, report_of
from tests.conftest import Stage

NOBODY = str(uuid4())
WHO = {"admin": "admin", "reseller": "resi", "user": "anna"}
WHOSE = {
    "admin": {"own": "admin", "managed": "bert"},
    "reseller": {"own": "resi", "managed": "anna", "foreign": "bert"},
    "user": {"own": "anna", "foreign": "bert"},
}
Arguments = dict[str, str]


def _domain(world: World, owner: str) -> Arguments:
    return {"id": world.site(f"{owner}.example", owner).uid}


def _job(world: World, owner: str) -> Arguments:
    with world.database.writing() as connection:
        return {"id": add_job(connection, "purge", owner=owner, target="web1")}


def _ended_job(world: World, owner: str) -> Arguments:
    job = _job(world, owner)
    with world.database.writing() as connection:
        take_job(connection, "web1", {"purge"}, "test")
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


def _document(world: World, owner: str) -> Arguments:
    world.site(f"{owner}.example", owner)
    return {"kind": "WebDomain", "name": f"{owner}.example"}


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
    "package": lambda world, _: {"id": world.uids["basic"]},
    "user": lambda world, owner: {"id": world.uids[owner]},
    "domain": _domain,
    "job": _job,
    "waiting job": _waiting_job,
    "ended job": _ended_job,
    "failed job": _ended_job,
    "plan": _plan,
    "audit entry": _audit_entry,
    "document": _document,
    "host": lambda _, __: {"id": "web1"},
    "token": _token,
    "webhook": _webhook,
    "delivery": _delivery,
}
MISSING: dict[str, Arguments] = {
    "document": {"kind": "WebDomain", "name": "nowhere.example"},
    "host": {"id": "nowhere"},
    "delivery": {"webhook_id": NOBODY, "id": NOBODY},
}


def arguments_of(world: World, row: Row, role: str, relation: str) -> Arguments:
    """What the path (or, for an owner, the body) names."""
    if relation == "missing":
        return MISSING.get(row.of, {"id": NOBODY})
    return MAKERS[row.of](world, WHOSE[role].get(relation, "admin"))


def _status(world: World, row: Row, role: str, relation: str) -> int:
    arguments = arguments_of(world, row, role, relation) if row.of else {}
    method, _, path = row.route.partition(" ")
    body: Any = dict(row.body) if row.body is not None else None
    if row.owned:
        body, arguments = body | {"user_id": arguments["id"]}, {}
    headers = dict(row.headers)
    if method == "PATCH":
        headers["Content-Type"] = "application/merge-patch+json"
    path = path.format(**arguments) + row.query
    return world.call(WHO[role], method, path, json=body, headers=headers).status_code


def test_the_table_has_every_route_and_no_other(world: World) -> None:
    paths = world.http.get(f"{BASE}/openapi.json").json()["paths"]
    inside = {path.removeprefix(BASE): item for path, item in paths.items() if path.startswith(BASE)}
    served = {f"{method.upper()} {path}" for path, item in inside.items() for method in item}
    assert {row.route for row in TABLE} == served


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.route)
def test_each_role_gets_what_the_table_says(worlds: Worlds, sqlite_stage: Stage, row: Row, role: str) -> None:
    found = {}
    expected = row.expected(role)
    for relation in expected:
        fresh = worlds.on(sqlite_stage)
        found[relation] = _status(fresh, row, role, relation)
    assert found == expected


def _lists_by_owner(world: World) -> list[str]:
    paths = world.http.get(f"{BASE}/openapi.json").json()["paths"]
    named = {
        path: {each["name"] for each in item.get("get", {}).get("parameters", ())}
        for path, item in paths.items()
    }
    return [
        path.removeprefix(BASE)
        for path, names in named.items()
        if {"page", "user_id"} <= names and "{" not in path
    ]


@pytest.mark.parametrize("who", ["resi", "anna"])
def test_asking_for_what_is_somebody_elses_finds_nothing(world: World, who: str) -> None:
    for make in (_domain, _job, _webhook):
        make(world, "bert")
    lists = _lists_by_owner(world)
    assert {"/users", "/domains", "/jobs", "/webhooks"} <= set(lists)
    for path in lists:
        assert world.call("admin", "GET", f"{path}?user_id={world.uids['bert']}").status_code == 200
        answer = world.call(who, "GET", f"{path}?user_id={world.uids['bert']}")
        assert (answer.status_code, answer.json()["total"]) == (200, 0), path
