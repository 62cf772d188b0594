"""What the audit is told: one entry for each object that is changed, one for each refusal, none of a dry run."""

from typing import Any

import pytest
from sqlalchemy import func, select

from api.app import ROUTES
from state.journal.tables import audit
from state.journal.verifying import verify
from tests.api.authorisation import ROLES, TABLE, Row
from tests.api.conftest import World, Worlds
from tests.api.test_authorisation import WHO, arguments_of
from tests.conftest import Stage
from tests.state.conftest import at_once

WRITES = {f"{each.method} {each.path}" for each in ROUTES if each.writes}
NOTHING: list[Any] = [{"aliases": []}, {}, {"generation": 1}]
ROWS = [row for row in TABLE if row.route in WRITES and "/auth/" not in row.route]


def _count(world: World) -> int:
    with world.database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(audit)).scalar_one())


def _since(world: World, count: int) -> list[Any]:
    with world.database.reading() as connection:
        return list(connection.execute(select(audit).where(audit.c.id > count).order_by(audit.c.id)))


def _holds(world: World) -> bool:
    with world.database.reading() as connection:
        return verify(connection, world.settings.var).faults == ()


def _send(world: World, row: Row, role: str, relation: str) -> tuple[int, list[Any]]:
    method, _, path = row.route.partition(" ")
    arguments = arguments_of(world, row, role, relation) if row.of else {}
    body: Any = dict(row.body) if row.body is not None else None
    if row.owned:
        body, arguments = body | {"user_id": arguments["id"]}, {}
    media = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else {}
    world.token(WHO[role])
    count = _count(world)
    answer = world.call(
        WHO[role], method, path.format(**arguments), json=body, headers={**row.headers, **media}
    )
    return answer.status_code, _since(world, count)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.route)
def test_every_write_and_every_refusal_is_told_once(
    worlds: Worlds, sqlite_stage: Stage, row: Row, role: str
) -> None:
    for relation in row.expected(role):
        world = worlds.on(sqlite_stage)
        status, entries = _send(world, row, role, relation)
        if row.route == "POST /plans/{id}/apply":
            continue  # the table's plan writes nothing
        if status < 300 and row.body in NOTHING:
            assert entries == []  # nothing changed
            continue
        assert len(entries) == 1, (relation, status, entries)
        (entry,) = entries
        assert (entry.actor, entry.actor_id, entry.role) == (WHO[role], world.uids[WHO[role]], role)
        assert (entry.action, entry.result == "done") == (row.route, status < 300)
        assert _holds(world)


def test_each_of_several_objects_is_told(world: World, worker: None) -> None:
    documents = [{"kind": "Package", "metadata": {"name": name}} for name in ("gold", "silver")]
    plan = world.call("admin", "POST", "/plans?wait=20", json={"documents": documents}).json()
    count = _count(world)
    world.call("admin", "POST", f"/plans/{plan['id']}/apply")
    told = [(each.object_type, each.after["name"], each.result) for each in _since(world, count)]
    assert told == [("Package", "gold", "done"), ("Package", "silver", "done")]


def test_a_user_that_is_deleted_and_all_that_goes_with_it_are_told(world_on_both: World) -> None:
    world_on_both.site("one.example", "anna")
    world_on_both.site("two.example", "anna")
    count = _count(world_on_both)
    world_on_both.call("resi", "DELETE", f"/users/{world_on_both.uids['anna']}")
    entries = _since(world_on_both, count)
    assert sorted(each.before["name"] for each in entries) == ["anna", "one.example", "two.example"]
    assert {(each.owner, each.after) for each in entries} == {("anna", None)}
    assert entries[0].before["document_root"]
    assert _holds(world_on_both)


def test_a_certificate_that_goes_with_its_site_is_told(world: World) -> None:
    site = world.site("bert.example", "bert", letsencrypt_enabled=True)
    count = _count(world)
    assert world.call("bert", "DELETE", f"/domains/{site.uid}").status_code == 204
    told = [(each.object_type, each.before is None, each.after) for each in _since(world, count)]
    assert told == [("Certificate", False, None), ("WebDomain", False, None)]


def test_entries_survive_whom_they_are_about(world: World) -> None:
    world.call("anna", "PUT", f"/users/{world.uids['anna']}", json={"full_name": "Anna"})
    world.call("resi", "DELETE", f"/users/{world.uids['anna']}")
    listed = world.call("admin", "GET", "/audit?actor=anna&object_type=User").json()
    assert [each["after"]["full_name"] for each in listed["entries"]] == ["Anna"]


def test_what_changed_is_told_before_and_after_and_a_password_is_masked(world: World) -> None:
    body = {"full_name": "New Name", "password": "a new password"}
    world.call("resi", "PUT", f"/users/{world.uids['anna']}", json=body)
    entry = world.call("admin", "GET", "/audit?limit=1").json()["entries"][0]
    assert entry["before"] == {"name": "anna", "full_name": "", "password": "********"}
    assert entry["after"] == {"name": "anna", "full_name": "New Name", "password": "********"}


def test_a_write_that_changes_nothing_is_not_told(world: World) -> None:
    count = _count(world)
    for _ in range(2):
        world.call("anna", "PUT", f"/users/{world.uids['anna']}", json={"full_name": "Same"})
    assert len(_since(world, count)) == 1


def test_a_door_that_is_not_for_ones_role_tells_that_one_tried(world: World) -> None:
    count = _count(world)
    assert world.call("anna", "POST", "/packages", json={"name": "mine"}).status_code == 403
    assert [each.result for each in _since(world, count)] == ["forbidden_role"]


@pytest.mark.parametrize("path", ["/domains", "/users"])
def test_a_dry_run_is_not_told_even_where_it_is_refused(world: World, worker: None, path: str) -> None:
    count = _count(world)
    for body in ({"domain": "new.example"}, {"domain": "com"}):
        world.call("anna", "POST", f"{path}?dry_run=true", json=body)
    assert _since(world, count) == []


def test_the_chain_holds_while_eight_write_at_once(world_on_both: World) -> None:
    count = _count(world_on_both)

    def write(number: int) -> list[int]:
        bodies = [{"domain": f"site{number}-{n}.example"} for n in range(4)] + [{"domain": "com"}]
        return [world_on_both.call("bert", "POST", "/domains", json=body).status_code for body in bodies]

    world_on_both.call("admin", "PUT", f"/users/{world_on_both.uids['bert']}", json={"web_domains_limit": 0})
    answers = at_once(*[lambda number=number: write(number) for number in range(8)])
    assert answers == [[201, 201, 201, 201, 422]] * 8
    results = [each.result for each in _since(world_on_both, count + 1)]
    assert (results.count("done"), results.count("invalid")) == (32, 8)
    assert _holds(world_on_both)


def _seen(world: World, who: str, query: str = "") -> set[str]:
    answer = world.call(who, "GET", f"/audit?limit=100&action=POST /plans{query}")
    assert answer.status_code == 200, answer.text
    return {str(each["actor"]) for each in answer.json()["entries"]}


def test_one_sees_what_one_did_and_what_those_did_whom_one_manages(world_on_both: World) -> None:
    for who in ("admin", "resi", "anna", "bert"):
        world_on_both.call(who, "POST", "/plans", json={})
    assert _seen(world_on_both, "admin") == {"admin", "resi", "anna", "bert"}
    assert _seen(world_on_both, "resi") == {"resi", "anna"}
    assert _seen(world_on_both, "anna") == {"anna"}


def test_who_gets_a_name_does_not_see_what_its_last_bearer_did(world_on_both: World) -> None:
    world_on_both.call("bert", "POST", "/plans", json={})
    old = world_on_both.uids["bert"]
    world_on_both.call("admin", "DELETE", f"/users/{old}")
    person = {"username": "bert", "email": "other@example.com", "password": "long enough"}
    assert world_on_both.call("admin", "POST", "/users", json=person).json()["id"] != old
    token = world_on_both.login("bert", "long enough").json()["token"]
    answer = world_on_both.http.get("/api/v1/audit", headers={"Authorization": f"Bearer {token}"})
    assert all(each["action"] != "POST /plans" for each in answer.json()["entries"])


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("actor=bert", 2), ("actor=nobody", 0), ("actor_id={bert}", 2), ("action=POST /domains", 1), ("role=user", 2),
        ("object_type=WebDomain", 1), ("result=invalid", 1), ("result=done,invalid&actor=bert", 2),
        ("at_after=2020-01-01&actor=bert", 2), ("at_before=2020-01-01", 0), ("search=PUT&actor=bert", 1),
        ("address=203.0.113.9", 0), ("id=1000000", 0), ("request_id=the-one", 1),
    ],
)  # fmt: skip
def test_entries_are_filtered(world_on_both: World, query: str, count: int) -> None:
    world_on_both.call(
        "bert", "POST", "/domains", json={"domain": "bert.example"}, headers={"X-Request-ID": "the-one"}
    )
    world_on_both.call("bert", "PUT", f"/users/{world_on_both.uids['bert']}", json={"email": "x"})
    path = f"/audit?{query.format(**world_on_both.uids)}&search=/"
    answer = world_on_both.call("admin", "GET", path)
    found = [each for each in answer.json()["entries"] if not each["action"].startswith("POST /auth")]
    assert len(found) == count, answer.text


def test_the_newest_comes_first_and_pages_go_on(world_on_both: World) -> None:
    for _ in range(5):
        world_on_both.call("bert", "POST", "/plans", json={})
    first = world_on_both.call("bert", "GET", "/audit?limit=2&action=POST /plans").json()
    query = f"cursor={first['next']}&limit=2&action=POST /plans"
    second = world_on_both.call("bert", "GET", f"/audit?{query}").json()
    ids = [each["id"] for each in (*first["entries"], *second["entries"])]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 4


@pytest.mark.parametrize("entry", ["0", "999999", "x", "-1", "1.5", "%00"])
def test_an_entry_that_is_not_there_is_not_found(world: World, entry: str) -> None:
    assert world.call("admin", "GET", f"/audit/{entry}").status_code == 404


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_nobody_writes_in_the_audit(world: World, method: str) -> None:
    assert world.call("admin", method, "/audit/1", json={}).status_code == 405
