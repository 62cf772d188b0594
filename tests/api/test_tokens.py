"""API tokens: made once, shown once, good for what their scopes say, from where they may, until they end."""

import hashlib
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from api.app import ROUTES
from state.access.tables import api_tokens
from state.jobs import redact
from state.journal.tables import audit
from tests.api.conftest import BASE, World, queries
from tests.state.conftest import at_once

WISH = {"name": "deployment", "scopes": ["domains:read", "users:write"]}


def _make(world: World, who: str = "anna", **changed: Any) -> dict[str, Any]:
    answer = world.call(who, "POST", "/tokens", json={**WISH, **changed})
    assert answer.status_code == 201, answer.json()
    return dict(answer.json())


def _use(
    world: World,
    token: str,
    path: str = "/domains",
    method: str = "GET",
    at: str = "127.0.0.1",
    **options: Any,
) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return world.at(at).request(method, f"{BASE}{path}", headers=headers, **options)


def _code(answer: Any) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["details"]["code"])


def test_a_token_is_shown_once_and_kept_as_a_hash(world: World) -> None:
    made = _make(world)
    assert re.fullmatch(r"ghostcp_[0-9A-Za-z]{40}", made["token"])
    assert (made["name"], made["user_id"]) == ("deployment", world.uids["anna"])
    for path in ("/tokens", f"/tokens/{made['id']}"):
        assert made["token"] not in world.call("anna", "GET", path).text
    with world.database.reading() as connection:
        row = connection.execute(select(api_tokens)).one()
    assert row.digest == hashlib.sha256(made["token"].encode()).hexdigest()
    assert made["token"] not in str(row)
    assert _use(world, made["token"]).status_code == 200


def test_a_token_is_good_for_its_scopes_and_no_more(world: World) -> None:
    token = _make(world)["token"]
    assert _use(world, token, "/domains").status_code == 200
    assert _use(world, token, "/users").status_code == 200
    assert _use(world, token, "/auth/me").json()["username"] == "anna"
    assert _code(_use(world, token, "/jobs")) == (403, "scope_missing")
    answer = _use(world, token, "/domains", "POST", json={"domain": "anna.example"})
    assert (_code(answer), answer.json()["details"]["scope"]) == ((403, "scope_missing"), "domains:write")


def test_a_token_may_not_do_what_its_user_may_not(world: World) -> None:
    site = world.site("bert.example", "bert")
    token = _make(world, scopes=["domains:write", "packages:write", "hosts:read"])["token"]
    assert _use(world, token, f"/domains/{site.uid}").status_code == 404
    assert _use(world, token, "/packages", "POST", json={"name": "gold"}).status_code == 403
    assert _use(world, token, "/hosts").status_code == 403


UNSCOPED = [
    route
    for route in ROUTES
    if route.path.startswith(("/auth", "/tokens")) and route.path not in {"/auth/login", "/auth/me"}
]


@pytest.mark.parametrize("route", UNSCOPED, ids=lambda route: route.action)
def test_no_token_manages_sessions_passwords_factors_or_tokens(world: World, route: Any) -> None:
    scopes = sorted({each.rule.scope for each in ROUTES if each.rule.scope})
    made = _make(world, "admin", scopes=scopes)
    answer = _use(world, made["token"], route.path.format(id=made["id"]), route.method, json={})
    assert _code(answer) == (403, "scope_missing")


@pytest.mark.parametrize("who", ["anna", "bert"])
def test_no_token_changes_a_password_and_it_may_make_users(world: World, who: str) -> None:
    token = _make(world, "admin")["token"]
    answer = _use(world, token, f"/users/{world.uids[who]}", "PUT", json={"password": "another one"})
    assert _code(answer) == (403, "scope_missing")
    assert world.login(who).status_code == 200
    body = {"username": "carl", "email": "carl@example.com", "password": "long enough"}
    assert _use(world, token, "/users", "POST", json=body).status_code == 201


@pytest.mark.parametrize("door", ["/users", "/documents"])
def test_no_token_makes_administrators(world: World, door: str) -> None:
    token = _make(world, "admin", scopes=["users:write", "documents:write"])["token"]
    spec = {"email": "carl@example.com", "role": "admin"}
    body: dict[str, Any] = {"username": "carl", "password": "long enough", **spec}
    if door == "/documents":
        body = {"kind": "User", "metadata": {"name": "carl"}, "spec": spec}
    assert _code(_use(world, token, door, "POST", json=body)) == (403, "scope_missing")
    assert _use(world, token, "/users?role=admin").json()["total"] == 1
    assert world.call("admin", "POST", door, json=body).status_code == 201


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"scopes": ["domains:read", "domains:fly"]}, "scopes"),
        ({"scopes": []}, "scopes"),
        ({"scopes": None}, "scopes"),
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"addresses": ["192.0.2.1/24"]}, "addresses"),
        ({"addresses": ["example.com"]}, "addresses"),
        ({"addresses": ["192.0.2.0/24"] * 101}, "addresses"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2099-01-01T00:00:00"}, "expires_at"),
        ({"expires_at": "0001-01-01T00:00:00+01:00"}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-01:00"}, "expires_at"),
        ({"expires_at": 4102444800}, "expires_at"),
        ({"user_id": "somebody"}, "user_id"),
        ({"token": "ghostcp_" + "a" * 40}, "token"),
        ({"last_used_at": None}, "last_used_at"),
    ],
    ids=str,
)
def test_a_wish_that_can_not_be_is_refused(world: World, wish: dict[str, Any], field: str) -> None:
    answer = world.call("anna", "POST", "/tokens", json={**WISH, **wish})
    assert answer.status_code == 422
    assert answer.json()["details"]["errors"][0]["field"].partition(".")[0] == field


def test_an_unknown_scope_is_answered_with_those_that_there_are(world: World) -> None:
    answer = world.call("anna", "POST", "/tokens", json={**WISH, "scopes": ["domains:fly"]})
    message = answer.json()["details"]["errors"][0]["message"]
    assert all(scope in message for scope in ("domains:fly", "domains:read", "jobs:write", "plans:read"))


def test_a_token_ends_when_it_expires(world: World) -> None:
    end = (world.clock() + timedelta(minutes=1)).isoformat()
    token = _make(world, expires_at=end)["token"]
    assert _use(world, token).status_code == 200
    world.clock.jump(minutes=2)
    assert _code(_use(world, token)) == (401, "token_expired")


@pytest.mark.parametrize(
    ("at", "status"),
    [
        ("192.0.2.77", 200),
        ("::ffff:192.0.2.77", 200),
        ("2001:db8:7::1", 200),
        ("192.0.3.1", 401),
        ("2001:db9::1", 401),
        ("unix", 401),
    ],
)
def test_a_token_is_good_from_its_addresses(world: World, at: str, status: int) -> None:
    token = _make(world, addresses=["192.0.2.0/24", "2001:db8::/32"])["token"]
    assert _use(world, token, at=at).status_code == status


def test_an_address_that_is_not_allowed_says_so(world: World) -> None:
    token = _make(world, addresses=["192.0.2.1"])["token"]
    assert _code(_use(world, token, at="192.0.2.2")) == (401, "address_refused")


@pytest.mark.parametrize("change", [{"is_suspended": True}, {"is_active": False}])
def test_the_token_of_a_suspended_user_is_refused(world: World, change: dict[str, bool]) -> None:
    token = _make(world)["token"]
    assert world.call("admin", "PUT", f"/users/{world.uids['anna']}", json=change).status_code == 200
    assert _code(_use(world, token)) == (401, "token_refused")


def test_the_tokens_of_a_deleted_user_are_gone(world_on_both: World) -> None:
    world = world_on_both
    token = _make(world)["token"]
    assert world.call("admin", "DELETE", f"/users/{world.uids['anna']}").status_code == 204
    assert _use(world, token).status_code == 401
    with world.database.reading() as connection:
        assert connection.execute(select(api_tokens)).first() is None


def test_a_new_password_ends_the_users_tokens_and_no_others(world: World) -> None:
    mine, other = _make(world)["token"], _make(world, "bert")["token"]
    body = {"current_password": "correct horse battery", "new_password": "another one"}
    assert world.call("anna", "POST", "/auth/password", json=body).status_code == 200
    assert (_use(world, mine).status_code, _use(world, other).status_code) == (401, 200)


def test_a_deleted_token_is_worthless(world: World) -> None:
    made = _make(world)
    assert world.call("anna", "DELETE", f"/tokens/{made['id']}").status_code == 204
    assert _use(world, made["token"]).status_code == 401


def test_what_a_token_is_good_for_can_be_changed(world: World) -> None:
    made = _make(world)
    path = f"/tokens/{made['id']}"
    answer = world.call("anna", "PATCH", path, json={"scopes": ["jobs:read"], "addresses": ["192.0.2.1"]})
    assert answer.status_code == 200
    assert (answer.json()["scopes"], answer.json()["addresses"]) == (["jobs:read"], ["192.0.2.1/32"])
    assert answer.json()["name"] == "deployment"
    assert _use(world, made["token"], at="192.0.2.1").status_code == 403
    assert _use(world, made["token"], "/jobs", at="192.0.2.1").status_code == 200


def test_a_name_is_there_once_for_each_user_even_at_once(world_on_both: World) -> None:
    world = world_on_both
    answers = at_once(*[lambda: world.call("anna", "POST", "/tokens", json=WISH)] * 4)
    assert sorted(each.status_code for each in answers) == [201, 409, 409, 409]
    assert {_code(each)[1] for each in answers if each.status_code == 409} == {"token_name_taken"}
    other = _make(world, name="another")
    answer = world.call("anna", "PUT", f"/tokens/{other['id']}", json={"name": "deployment"})
    assert _code(answer) == (409, "token_name_taken")
    assert _make(world, "bert")["name"] == "deployment"


def test_who_may_plan_may_not_apply(world: World) -> None:
    plan = world.call("anna", "POST", "/plans").json()["id"]
    planner = _make(world, name="planner", scopes=["plans:write"])["token"]
    answer = _use(world, planner, f"/plans/{plan}/apply", "POST")
    assert (answer.status_code, answer.json()["details"]["scope"]) == (403, "documents:write")
    applier = _make(world, name="applier", scopes=["documents:write"])["token"]
    answer = _use(world, applier, f"/plans/{plan}/apply", "POST")
    assert (answer.status_code, answer.json()["details"]["code"]) == (409, "plan_not_ready")


def test_a_use_is_noted_once_a_minute_and_believing_it_takes_one_query(world: World) -> None:
    made = _make(world)
    path = f"/tokens/{made['id']}"
    tag = world.call("anna", "GET", path).headers["ETag"]
    assert world.call("anna", "GET", path).json()["last_used_at"] is None
    _use(world, made["token"], at="192.0.2.1")
    first = world.call("anna", "GET", path).json()
    assert first["last_used_address"] == "192.0.2.1"
    world.clock.jump(seconds=50)
    with queries(world) as seen:
        assert _use(world, made["token"], "/domains?page=0", at="192.0.2.2").status_code == 422
    assert len(seen) == 1
    assert world.call("anna", "GET", path).json() == first
    world.clock.jump(seconds=11)
    _use(world, made["token"], at="192.0.2.2")
    later = world.call("anna", "GET", path)
    assert later.json()["last_used_at"] > first["last_used_at"]
    assert later.json()["last_used_address"] == "192.0.2.2"
    assert later.headers["ETag"] != tag
    changed = world.call("anna", "PUT", path, json={"name": "new"}, headers={"If-Match": tag})
    assert changed.status_code == 200


def test_a_clock_that_went_back_goes_on_noting_uses(world: World) -> None:
    made = _make(world)
    world.clock.jump(days=1)
    _use(world, made["token"])
    world.clock.jump(days=-1)
    _use(world, made["token"])
    noted = world.call("anna", "GET", f"/tokens/{made['id']}").json()["last_used_at"]
    assert noted[:16] == world.clock().isoformat()[:16]


def test_a_repeated_request_makes_one_token_and_answers_with_it_again(world: World) -> None:
    headers = {"Idempotency-Key": "k1"}
    first, again = (world.call("anna", "POST", "/tokens", json=WISH, headers=headers) for _ in range(2))
    assert first.json() == again.json()
    assert world.call("anna", "GET", "/tokens").json()["total"] == 1


def test_a_dry_run_makes_no_token(world: World) -> None:
    answer = world.call("anna", "POST", "/tokens?dry_run=true", json=WISH)
    assert (answer.status_code, "ghostcp_" in answer.text) == (200, False)
    assert world.call("anna", "GET", "/tokens").json()["total"] == 0


def test_tokens_are_in_the_audit_and_so_is_what_they_did(world: World) -> None:
    made = _make(world, scopes=["domains:write"])
    _use(world, made["token"], "/domains", "POST", json={"domain": "anna.example"})
    with world.database.reading() as connection:
        rows = connection.execute(select(audit).order_by(audit.c.id.desc()).limit(2)).all()
    assert [(row.action, row.object_type, row.actor) for row in rows] == [
        ("POST /domains", "WebDomain", "anna"),
        ("POST /tokens", "token", "anna"),
    ]
    assert rows[0].token == made["id"] == rows[1].object_id
    assert made["token"] not in str(rows)


def test_a_token_in_a_log_is_hidden() -> None:
    assert redact(f"curl -H 'X: ghostcp_{'a' * 40}'") == "curl -H 'X: [redacted]'"
