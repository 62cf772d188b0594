"""The objects of every kind."""

import json
from typing import Any

import pytest

from state.document import Condition, Status
from state.statuses import save_statuses
from state.targets import list_hosts
from tests.api.conftest import World

NEW_USER = {"username": "carl", "email": "carl@example.com", "password": "long enough"}


def _faults(answer: Any) -> set[str]:
    assert answer.status_code == 422, answer.text
    return {each["field"] for each in answer.json()["details"]["errors"]}


def test_what_is_created_says_where_it_is(world_on_both: World) -> None:
    answer = world_on_both.call("admin", "POST", "/users", json=NEW_USER)
    made = answer.json()
    assert answer.headers["Location"] == f"/api/v1/users/{made['id']}"
    assert world_on_both.call("admin", "GET", f"/users/{made['id']}").json() == made


@pytest.mark.parametrize("who", ["admin", "bert"])
def test_what_is_created_is_shown_as_it_is_read(world_on_both: World, who: str) -> None:
    body: dict[str, Any] = {"domain": "new.example", "aliases": ["www.new.example"]}
    given = body if who == "bert" else body | {"user_id": world_on_both.uids["bert"]}
    answer = world_on_both.call(who, "POST", "/domains", json=given)
    assert answer.status_code == 201
    path = f"/domains/{answer.json()['id']}"
    assert world_on_both.call(who, "GET", path).json() == answer.json()


def test_a_site_is_its_makers_and_listed(world_on_both: World) -> None:
    made = world_on_both.call("bert", "POST", "/domains", json={"domain": "newsite.com"}).json()
    assert made["user_id"] == world_on_both.uids["bert"]
    assert made["document_root"] == "/home/bert/web/newsite.com/public_html"
    listed = world_on_both.call("bert", "GET", f"/domains?user_id={made['user_id']}").json()
    assert listed == {"domains": [made], "total": 1, "page": 1, "limit": 20, "pages": 1, "next": None}


@pytest.mark.parametrize("host", ["nowhere", "", "web2", "web1"])
def test_a_site_is_on_the_host_of_its_owner_whatever_is_wished(world: World, host: str) -> None:
    with world.database.writing() as connection:
        list_hosts(connection, {"web1": "192.0.2.1", "web2": "192.0.2.2"})
    body = {"domain": "new.example", "user_id": world.uids["anna"], "host": host}
    answer = world.call("admin", "POST", "/domains", json=body)
    assert answer.status_code == {"web1": 201, "web2": 422}.get(host, 404)
    assert world.call("anna", "POST", "/domains", json={**body, "host": "web1"}).status_code == 403
    if host == "web2":
        assert _faults(answer) == {"host"}
    package = world.call("admin", "POST", "/packages", json={"name": "new", "host": "web1"})
    assert _faults(package) == {"host"}


def test_an_administrators_site_without_an_owner_is_its_own(world: World) -> None:
    answer = world.call("admin", "POST", "/domains", json={"domain": "newsite.com"})
    assert (answer.status_code, answer.json()["user_id"]) == (201, world.uids["admin"])


def test_a_put_changes_what_it_names_and_keeps_the_rest(world: World) -> None:
    path = f"/users/{world.uids['anna']}"
    before = world.call("admin", "GET", path).json()
    after = world.call("admin", "PUT", path, json={"full_name": "Updated Name", "is_suspended": False}).json()
    changed = {n for n in after if after[n] != before[n]}
    assert changed == {"full_name", "generation", "updated_at"}


def test_an_object_is_deleted_without_content(world: World) -> None:
    site = world.site("anna.example", "anna")
    answer = world.call("anna", "DELETE", f"/domains/{site.uid}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert world.call("anna", "GET", f"/domains/{site.uid}").status_code == 404


def test_counters_count_what_a_user_has(world_on_both: World) -> None:
    for name in ("one.example", "two.example"):
        world_on_both.site(name, "anna")
    users = world_on_both.call("admin", "GET", "/users?sort=web_domains_count&order=desc").json()["users"]
    assert (users[0]["username"], users[0]["web_domains_count"], users[0]["cron_jobs_count"]) == (
        "anna",
        2,
        0,
    )


def test_all_faults_of_a_body_are_told_at_once(world: World) -> None:
    body = {
        "username": "Root",
        "email": "x",
        "password": "short",
        "disk_quota": -1,
        "id": "1",
        "user_id": "nobody",
        "conditions": [],
    }
    faults = _faults(world.call("admin", "POST", "/users", json=body))
    assert faults == set(body)


def test_a_user_needs_a_name_an_email_and_a_password(world: World) -> None:
    assert _faults(world.call("admin", "POST", "/users", json={})) == {"username", "email", "password"}


@pytest.mark.parametrize(
    "name", ["root", "www-data", "-rf", "a" * 33, "A", "1a", "a b", "a\n", "ä", "", "a;b", "admin"]
)
def test_a_hostile_user_name_is_refused(world: World, name: str) -> None:
    assert _faults(world.call("admin", "POST", "/users", json={**NEW_USER, "username": name})) == {"username"}


@pytest.mark.parametrize(
    "name",
    [
        "com",
        "co.uk",
        "localhost",
        "127.0.0.1",
        "a..b",
        "-a.com",
        "a\n.com",
        "a b.com",
        "{x}.com",
        "x;y.com",
        "*.a.com",
    ],
)
def test_a_hostile_domain_name_is_refused(world: World, name: str) -> None:
    assert _faults(world.call("anna", "POST", "/domains", json={"domain": name})) == {"domain"}


@pytest.mark.parametrize(
    "root",
    [
        "/etc",
        "../x",
        "/home/anna/web/a.example/../../x",
        "/home/bert/web/a.example/x",
        "/home/anna/web/a.example/x;y",
    ],
)
def test_a_document_root_stays_below_its_site(world: World, root: str) -> None:
    body = {"domain": "a.example", "document_root": root}
    assert _faults(world.call("anna", "POST", "/domains", json=body)) == {"document_root"}


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_that_no_database_takes_is_refused(world_on_both: World, text: str) -> None:
    content = json.dumps({"full_name": text, "password": text + "long enough"})
    path = f"/users/{world_on_both.uids['anna']}"
    headers = {"Content-Type": "application/json"}
    answer = world_on_both.call("anna", "PUT", path, content=content, headers=headers)
    assert _faults(answer) == {"full_name", "password"}


def test_a_name_that_exists_is_taken(world: World) -> None:
    answer = world.call("admin", "POST", "/users", json={**NEW_USER, "username": "anna"})
    assert (answer.status_code, answer.json()["details"]["code"]) == (409, "username_taken")


def test_a_full_plan_refuses_another(world: World) -> None:
    world.call("admin", "PUT", f"/users/{world.uids['bert']}", json={"web_domains_limit": 1})
    world.site("one.example", "bert")
    answer = world.call("bert", "POST", "/domains", json={"domain": "two.example"})
    assert (answer.status_code, answer.json()["details"]["code"]) == (403, "limit_reached")


@pytest.mark.parametrize("password", ["", None])
def test_an_empty_password_keeps_the_old_one(world: World, password: str | None) -> None:
    for method in ("PUT", "PATCH"):
        answer = world.call("anna", method, f"/users/{world.uids['anna']}", json={"password": password})
        assert answer.status_code == 200
    assert world.login("anna").status_code == 200


def test_a_merge_patch_takes_away_with_null(world: World) -> None:
    site = world.site("anna.example", "anna", proxy_template="app-socket", aliases=["x.example"])
    body = {"proxy_template": None, "aliases": None}
    answer = world.call(
        "anna",
        "PATCH",
        f"/domains/{site.uid}",
        json=body,
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert (answer.json()["proxy_template"], answer.json()["aliases"]) == (None, [])


def test_a_merge_patch_without_what_is_needed_is_refused(world: World) -> None:
    answer = world.call(
        "anna", "PATCH", f"/users/{world.uids['anna']}", json={"email": None, "unknown": None}
    )
    assert _faults(answer) == {"email", "unknown"}


def test_an_entity_tag_protects_from_overwriting(world: World) -> None:
    path = f"/users/{world.uids['anna']}"
    tag = world.call("anna", "GET", path).headers["ETag"]
    first = world.call("anna", "PUT", path, json={"full_name": "One"}, headers={"If-Match": tag})
    second = world.call("anna", "PUT", path, json={"full_name": "Two"}, headers={"If-Match": tag})
    assert (first.status_code, second.status_code) == (200, 412)
    assert first.headers["ETag"] != tag
    stale = world.call("resi", "DELETE", path, headers={"If-Match": tag})
    assert stale.status_code == 412


def test_a_wait_ends_when_the_outcome_is_known(world: World) -> None:
    site = world.site("anna.example", "anna")
    condition = Condition("Blocked", True, "PhpMissing", "no", 2, site.created_at or pytest.fail("no time"))
    with world.database.writing() as connection:
        save_statuses(connection, [Status(site.uid, 2, (condition,))])
    answer = world.call("anna", "PUT", f"/domains/{site.uid}?wait=60", json={"ssl_force": True})
    assert answer.json()["observed_generation"] == 2
    assert answer.json()["conditions"][0]["reason"] == "PhpMissing"


def test_a_wait_that_is_too_short_answers_what_there_is(world: World) -> None:
    answer = world.call("anna", "POST", "/domains?wait=0.05", json={"domain": "anna.example"})
    assert (answer.status_code, answer.json()["observed_generation"]) == (201, 0)


@pytest.mark.parametrize("query", ["wait=61", "wait=x", "wait=-1", "dry_run=maybe", "other=1"])
def test_an_option_that_is_wrong_is_named(world: World, query: str) -> None:
    answer = world.call("anna", "POST", f"/domains?{query}", json={"domain": "anna.example"})
    assert _faults(answer) == {query.split("=", maxsplit=1)[0]}


def test_a_user_in_use_is_not_deleted(world: World) -> None:
    answer = world.call("admin", "DELETE", f"/users/{world.uids['resi']}")
    assert (answer.status_code, answer.json()["details"]["code"]) == (409, "in_use")


def test_a_package_is_made_and_used(world: World) -> None:
    made = world.call("admin", "POST", "/packages", json={"name": "big", "web_domains_limit": 50})
    assert made.status_code == 201
    user = world.call("admin", "POST", "/users", json={**NEW_USER, "package_name": "big"}).json()
    assert user["web_domains_limit"] == 50


def test_every_fault_is_told_at_once(world: World) -> None:
    body = {"domain": "a.example", "document_root": "/etc", "aliases": ["a.example"], "unknown": 1}
    answer = world.call("anna", "POST", "/domains", json=body)
    assert _faults(answer) == {"document_root", "aliases", "unknown"}
    uid = world.site("b.example", "anna").uid
    answer = world.call("anna", "PUT", f"/domains/{uid}", json={"document_root": "/etc", "unknown": 1})
    assert _faults(answer) == {"document_root", "unknown"}
    user = {**NEW_USER, "username": "Root", "email": "x", "password": "a", "unknown": 1}
    answer = world.call("admin", "POST", "/users", json=user)
    assert _faults(answer) == {"username", "email", "password", "unknown"}
