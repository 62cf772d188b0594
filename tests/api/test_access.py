"""Who may do what: every route closed to strangers, every role kept to what is its own."""

import pytest

from api.access import Access
from api.app import ROUTES
from state.reading import get
from tests.api.conftest import BASE, World

PUBLIC = {("GET", "/health"), ("GET", "/health/ready"), ("GET", "/openapi.json"), ("POST", "/auth/login")}


def test_only_health_and_login_are_open_to_everybody() -> None:
    assert {(each.method, each.path) for each in ROUTES if each.rule.access is Access.PUBLIC} == PUBLIC


@pytest.mark.parametrize(("method", "path"), sorted({(r.method, r.path) for r in ROUTES} - PUBLIC), ids=str)
def test_a_stranger_is_turned_away_everywhere(world: World, method: str, path: str) -> None:
    filled = path.replace("{id}", world.uids["bert"]).replace("{kind}", "User").replace("{name}", "bert")
    answer = world.http.request(method, f"{BASE}{filled}")
    assert answer.status_code == 401
    assert answer.json()["details"]["code"] == "token_missing"


def _names(world: World, who: str, path: str, key: str, field: str) -> set[str]:
    return {str(each[field]) for each in world.call(who, "GET", path).json()[key]}


@pytest.mark.parametrize(
    ("who", "seen"),
    [("admin", {"admin", "resi", "anna", "bert"}), ("resi", {"resi", "anna"}), ("anna", {"anna"})],
)
def test_one_sees_the_users_that_are_ones_own(world: World, who: str, seen: set[str]) -> None:
    assert _names(world, who, "/users", "users", "username") == seen


@pytest.mark.parametrize(
    ("who", "seen"),
    [("admin", {"anna.example", "bert.example"}), ("resi", {"anna.example"}), ("bert", {"bert.example"})],
)
def test_one_sees_the_sites_that_are_ones_own(world: World, who: str, seen: set[str]) -> None:
    world.site("anna.example", "anna")
    world.site("bert.example", "bert")
    assert _names(world, who, "/domains", "domains", "domain") == seen
    shown = set(_names(world, who, "/documents", "documents", "kind"))
    assert "WebDomain" in shown


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("who", ["resi", "anna"])
def test_what_is_not_ones_own_is_not_there(world: World, who: str, method: str) -> None:
    site = world.site("bert.example", "bert")
    for path in (f"/domains/{site.uid}", f"/users/{world.uids['bert']}"):
        answer = world.call(who, method, path, json={} if method in {"PUT", "PATCH"} else None)
        assert (answer.status_code, answer.json()["details"]["code"]) == (404, "not_found")
    with world.database.reading() as connection:
        assert not get(connection, site.uid).deleted


FIELDS = [
    {"role": "admin"},
    {"disk_quota": 0},
    {"bandwidth_quota": 0},
    {"web_domains_limit": 0},
    {"package_name": "basic"},
    {"shell": "/bin/bash"},
    {"is_suspended": False},
    {"is_active": True},
]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("who", ["anna", "resi"])
@pytest.mark.parametrize("body", FIELDS, ids=lambda body: next(iter(body)))
def test_nobody_raises_themselves(world: World, who: str, body: dict[str, object], method: str) -> None:
    answer = world.call(who, method, f"/users/{world.uids[who]}", json=body)
    assert (answer.status_code, answer.json()["details"]["code"]) == (403, "forbidden_field")


def test_users_edit_of_themselves_what_is_personal(world: World) -> None:
    body = {"email": "new@example.com", "full_name": "Anna", "language": "de", "timezone": "Europe/Berlin"}
    answer = world.call("anna", "PUT", f"/users/{world.uids['anna']}", json=body)
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in body} == body


@pytest.mark.parametrize("body", [{"id": "x"}, {"user_id": None}, {"generation": 9}, {"conditions": []}])
def test_what_the_system_knows_cannot_be_written(world: World, body: dict[str, object]) -> None:
    for method in ("PUT", "PATCH"):
        answer = world.call("admin", method, f"/users/{world.uids['anna']}", json=body)
        assert answer.status_code == 422
        assert [each["field"] for each in answer.json()["details"]["errors"]] == list(body)


def test_a_user_may_not_lift_its_sites_suspension(world: World) -> None:
    site = world.site("anna.example", "anna", is_suspended=True)
    answer = world.call("anna", "PUT", f"/domains/{site.uid}", json={"is_suspended": False})
    assert answer.status_code == 403
    assert world.call("resi", "PUT", f"/domains/{site.uid}", json={"is_suspended": False}).status_code == 200


NEW = {"username": "carl", "email": "carl@example.com", "password": "long enough"}


def test_a_user_creates_no_users(world: World) -> None:
    assert world.call("anna", "POST", "/users", json=NEW).status_code == 403


def test_a_resellers_new_user_is_its_own(world: World) -> None:
    answer = world.call("resi", "POST", "/users", json=NEW)
    assert answer.status_code == 201
    assert answer.json()["user_id"] == world.uids["resi"]


@pytest.mark.parametrize("role", ["admin", "reseller"])
def test_a_reseller_creates_no_resellers(world: World, role: str) -> None:
    answer = world.call("resi", "POST", "/users", json={**NEW, "role": role})
    assert (answer.status_code, answer.json()["details"]["code"]) == (403, "forbidden_field")


@pytest.mark.parametrize(("value", "status"), [(10, 201), (11, 403), (0, 403)])
def test_a_reseller_gives_no_more_than_it_has(world: World, value: int, status: int) -> None:
    answer = world.call("resi", "POST", "/users", json={**NEW, "web_domains_limit": value})
    assert answer.status_code == status


def test_what_a_reseller_has_without_limit_it_may_give_without_limit(world: World) -> None:
    assert world.call("resi", "POST", "/users", json={**NEW, "disk_quota": 0}).status_code == 201


def test_a_reseller_raises_no_user_above_itself_later(world: World) -> None:
    path = f"/users/{world.uids['anna']}"
    assert world.call("resi", "PATCH", path, json={"web_domains_limit": 11}).status_code == 403
    assert world.call("resi", "PATCH", path, json={"web_domains_limit": 9}).status_code == 200


def test_a_reseller_suspends_its_users(world: World) -> None:
    path = f"/users/{world.uids['anna']}"
    assert world.call("resi", "PUT", path, json={"is_suspended": True}).status_code == 200


def test_a_reseller_creates_sites_for_its_users_only(world: World) -> None:
    own = {"domain": "anna.example", "user_id": world.uids["anna"]}
    other = {"domain": "bert.example", "user_id": world.uids["bert"]}
    assert world.call("resi", "POST", "/domains", json=own).json()["user_id"] == world.uids["anna"]
    assert world.call("resi", "POST", "/domains", json=other).status_code == 422


@pytest.mark.parametrize("who", ["admin", "resi", "anna"])
def test_nobody_deletes_themselves(world: World, who: str) -> None:
    assert world.call(who, "DELETE", f"/users/{world.uids[who]}").status_code == 403


def test_an_administrator_does_not_suspend_itself(world: World) -> None:
    answer = world.call("admin", "PUT", f"/users/{world.uids['admin']}", json={"is_suspended": True})
    assert answer.status_code == 403


@pytest.mark.parametrize("who", ["resi", "anna"])
def test_packages_are_read_by_all_and_written_by_administrators(world: World, who: str) -> None:
    path = f"/packages/{world.uids['basic']}"
    assert world.call(who, "GET", path).status_code == 200
    assert world.call(who, "PUT", path, json={"disk_quota": 1}).status_code == 403
    assert world.call(who, "DELETE", path).status_code == 403
    assert world.call(who, "POST", "/packages", json={"name": "mine"}).status_code == 403


@pytest.mark.parametrize("path", ["/hosts", "/hosts/web1"])
def test_hosts_are_for_administrators(world: World, path: str) -> None:
    assert world.call("admin", "GET", path).status_code == 200
    assert world.call("resi", "GET", path).status_code == 403
