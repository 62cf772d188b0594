"""Every route of the OpenAPI document, as every role, on every sort of object: as the one table says."""

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.app import ROUTES
from tests.api.authorisation import OPEN, POSTED, ROLES, TABLE, Row, scope_of
from tests.api.conftest import BASE, World, Worlds
from tests.api.making import MAKERS, Arguments
from tests.conftest import Stage

NOBODY = str(uuid4())
WHO = {"admin": "admin", "reseller": "resi", "user": "anna"}
WHOSE = {
    "admin": {"own": "admin", "managed": "bert"},
    "reseller": {"own": "resi", "managed": "anna", "foreign": "bert"},
    "user": {"own": "anna", "foreign": "bert"},
}


MISSING: dict[str, Arguments] = {
    "document": {"kind": "WebDomain", "name": "nowhere.example"},
    "host": {"id": "nowhere"},
    "delivery": {"webhook_id": NOBODY, "id": NOBODY},
    "dns.record": {"zone_id": NOBODY, "id": NOBODY},
}


def arguments_of(world: World, row: Row, role: str, relation: str) -> Arguments:
    """What the path (or, for an owner, the body) names."""
    if relation == "missing":
        return MISSING.get(row.of, {"id": NOBODY})
    return MAKERS[row.of](world, WHOSE[role].get(relation, "admin"))


def _answer(world: World, row: Row, role: str, relation: str, **proof: str) -> httpx.Response:
    arguments = arguments_of(world, row, role, relation) if row.of else {}
    method, _, path = row.route.partition(" ")
    body: Any = dict(row.body) if row.body is not None else None
    if row.owned:
        body, arguments = body | {"user_id": arguments["id"]}, {}
    headers = {**row.headers, **proof}
    if method == "PATCH":
        headers["Content-Type"] = "application/merge-patch+json"
    path = path.format(**arguments) + row.query
    return world.call(WHO[role], method, path, json=body, headers=headers)


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
        found[relation] = _answer(fresh, row, role, relation).status_code
    assert found == expected


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("row", POSTED, ids=lambda row: row.route)
def test_each_role_posts_documents_for_whom_the_table_says(
    worlds: Worlds, sqlite_stage: Stage, row: Row, role: str
) -> None:
    found, expected = {}, row.expected(role)
    for relation in expected:
        owner = WHOSE[role].get(relation, "nobody")
        document = {"kind": "WebDomain", "metadata": {"name": "new.example", "owner": owner}}
        body = document if row.route.endswith("documents") else {"documents": [document]}
        path = row.route.partition(" ")[2]
        found[relation] = worlds.on(sqlite_stage).call(WHO[role], "POST", path, json=body).status_code
    assert found == expected


def _bearing(world: World, scopes: Iterable[str]) -> str:
    wish = {"name": "walker", "scopes": sorted(scopes)}
    made = world.call("admin", "POST", "/tokens", json=wish)
    assert made.status_code == 201, made.json()
    return f"Bearer {made.json()['token']}"


def _first(row: Row) -> tuple[str, int]:
    """The first sort of object that an administrator gets this route's ordinary answer for."""
    return next(iter(row.expected("admin").items()))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.route)
def test_a_token_with_the_scope_and_no_other_gets_what_its_user_gets(world: World, row: Row) -> None:
    relation, expected = _first(row)
    scope = scope_of(row.route)
    if row.route in OPEN or not scope:
        expected = expected if row.route in OPEN else 403
        scope = "domains:read"
    answer = _answer(world, row, "admin", relation, Authorization=_bearing(world, [scope]))
    assert answer.status_code == expected, answer.text


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.route)
def test_a_token_with_every_scope_but_the_needed_is_turned_away(world: World, row: Row) -> None:
    relation, expected = _first(row)
    needed = scope_of(row.route)
    wider = {needed, needed.replace(":read", ":write")}
    others = {each.rule.scope for each in ROUTES if each.rule.scope} - wider
    answer = _answer(world, row, "admin", relation, Authorization=_bearing(world, others))
    if row.route in OPEN:
        assert answer.status_code == expected
    else:
        assert (answer.status_code, answer.json()["details"]["code"]) == (403, "scope_missing")


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
    for sort in ("domain", "dns.zone", "job", "webhook"):
        MAKERS[sort](world, "bert")
    lists = _lists_by_owner(world)
    assert {"/users", "/domains", "/dns", "/jobs", "/webhooks"} <= set(lists)
    for path in lists:
        assert world.call("admin", "GET", f"{path}?user_id={world.uids['bert']}").status_code == 200
        answer = world.call(who, "GET", f"{path}?user_id={world.uids['bert']}")
        assert (answer.status_code, answer.json()["total"]) == (200, 0), path
