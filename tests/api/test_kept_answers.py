"""A POST with an ``Idempotency-Key`` is done once, whatever happens, and answered as at first."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from api import kept_answers
from api.app import ROUTES
from state.access.tables import kept_answers as table
from state.journal.tables import audit
from state.tables import documents
from tests.api.authorisation import TABLE, Row
from tests.api.conftest import World, Worlds
from tests.api.snapshot import changed, contents
from tests.api.test_authorisation import arguments_of
from tests.conftest import Stage
from tests.state.conftest import at_once

KEY = {"Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}
SITE = {"domain": "once.example"}


def _post(world: World, who: str = "bert", body: Any = None, path: str = "/domains", **headers: str) -> Any:
    return world.call(who, "POST", path, json=SITE if body is None else body, headers={**KEY, **headers})


def _sites(world: World) -> int:
    with world.database.reading() as connection:
        query = select(func.count()).where(documents.c.kind == "WebDomain")
        return int(connection.execute(query).scalar_one())


def _kept(world: World) -> int:
    with world.database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def test_the_same_request_again_is_answered_as_before_and_done_once(world_on_both: World) -> None:
    first = _post(world_on_both)
    before = contents(world_on_both.database)
    second = _post(world_on_both)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert [second.headers[name] for name in ("ETag", "Location")] == [
        first.headers[name] for name in ("ETag", "Location")
    ]
    assert changed(before, contents(world_on_both.database)) == set()


def test_two_at_the_same_moment_are_one(world_on_both: World) -> None:
    answers = at_once(*[lambda: _post(world_on_both)] * 6)
    assert [each.status_code for each in answers] == [201] * 6
    assert len({each.json()["id"] for each in answers}) == 1
    assert sum("Idempotency-Replayed" in each.headers for each in answers) == 5
    assert _sites(world_on_both) == 1


def test_two_different_ones_at_the_same_moment_are_not_taken_for_one(world_on_both: World) -> None:
    bodies = [{"domain": f"{name}.example"} for name in ("one", "two", "three")]
    answers = at_once(*[lambda body=body: _post(world_on_both, body=body) for body in bodies])
    assert sorted(each.status_code for each in answers) == [201, 409, 409]
    assert _sites(world_on_both) == 1


@pytest.mark.parametrize(
    "other",
    [
        lambda world: _post(world, body={"domain": "other.example"}),
        lambda world: _post(world, path="/domains?wait=0"),
        lambda world: _post(world, path="/plans", body={}),
    ],
    ids=["body", "query", "path"],
)
def test_a_key_that_came_with_another_request_is_refused(world: World, other: Callable[[World], Any]) -> None:
    _post(world)
    answer = other(world)
    assert (answer.status_code, answer.json()["details"]["code"]) == (409, "idempotency_key_reused")
    assert _sites(world) == 1


def test_keys_are_each_ones_own(world: World) -> None:
    assert _post(world, "bert").status_code == 201
    answer = _post(world, "anna", {"domain": "anna.example"})
    assert (answer.status_code, answer.json()["domain"]) == (201, "anna.example")


def test_after_a_day_a_key_is_new(world_on_both: World) -> None:
    first = _post(world_on_both).json()
    world_on_both.call("bert", "DELETE", f"/domains/{first['id']}")
    with world_on_both.database.writing() as connection:
        aged = table.c.created_at
        day = kept_answers.KEPT + timedelta(seconds=1)
        at = connection.execute(select(aged)).scalar_one()
        connection.execute(update(table).values(created_at=at - day))
    second = _post(world_on_both)
    assert second.status_code == 201
    assert second.json()["id"] != first["id"]
    assert _kept(world_on_both) == 1


def test_an_answer_is_kept_for_nearly_a_day(world: World) -> None:
    first = _post(world).json()
    with world.database.writing() as connection:
        at = connection.execute(select(table.c.created_at)).scalar_one()
        connection.execute(update(table).values(created_at=at - kept_answers.KEPT + timedelta(minutes=1)))
    assert _post(world).json() == first


def test_a_failure_is_not_kept(world: World) -> None:
    assert _post(world, body={"domain": "com"}).status_code == 422
    assert _kept(world) == 0
    assert _post(world).status_code == 201


def test_a_dry_run_takes_no_key(world: World, worker: None) -> None:
    assert _post(world, path="/domains?dry_run=true").status_code == 200
    assert _kept(world) == 0
    assert _post(world).status_code == 201


@pytest.mark.parametrize("where", ["keep", "after"])
def test_a_crash_leaves_neither_the_deed_nor_its_answer(
    world_on_both: World, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    keep = kept_answers.keep

    def crash(*given: Any) -> None:
        if where == "after":
            keep(*given)
        raise MemoryError("the process is gone")

    before = contents(world_on_both.database)
    with monkeypatch.context() as patched:
        patched.setattr(kept_answers, "keep", crash)
        assert _post(world_on_both).status_code == 500
    assert changed(before, contents(world_on_both.database)) == set()
    assert _post(world_on_both).status_code == 201
    assert _sites(world_on_both) == 1


def test_what_only_its_maker_is_shown_is_not_kept_in_clear(world: World) -> None:
    _post(world)
    with world.database.reading() as connection:
        kept = bytes(connection.execute(select(table.c.answer)).scalar_one())
    assert b"once.example" not in kept


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "é"])
def test_a_key_that_is_none_is_refused(world: World, key: str) -> None:
    headers = {b"Idempotency-Key": key.encode("latin-1")}
    answer = world.call(
        "bert", "POST", "/domains", json=SITE, headers={k.decode(): v for k, v in headers.items()}
    )
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["details"]["errors"]] == ["Idempotency-Key"]


def test_a_key_means_nothing_beside_a_put(world: World) -> None:
    path = f"/users/{world.uids['bert']}"
    for name in ("One", "Two"):
        answer = world.call("bert", "PUT", path, json={"full_name": name}, headers=KEY)
        assert answer.json()["full_name"] == name
    assert _kept(world) == 0


KEYED = {
    f"{each.method} {each.path}"
    for each in ROUTES
    if each.method == "POST" and any(one.name == "Idempotency-Key" for one in each.docs.parameters)
}
POSTS = [row for row in TABLE if row.route in KEYED and "/auth/" not in row.route]


@pytest.mark.parametrize("row", POSTS, ids=lambda row: row.route)
def test_every_post_is_done_once(worlds: Worlds, stage: Stage, row: Row) -> None:
    world = worlds.on(stage)
    arguments = arguments_of(world, row, "admin", "managed") if row.of else {}
    body: Any = dict(row.body) if row.body is not None else None
    if row.owned:
        body, arguments = body | {"user_id": arguments["id"]}, {}
    path = row.route.partition(" ")[2].format(**arguments)
    first = world.call("admin", "POST", path, json=body, headers={**row.headers, **KEY})
    assert first.status_code < 300, first.text
    before = contents(world.database)
    second = world.call("admin", "POST", path, json=body, headers={**row.headers, **KEY})
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert changed(before, contents(world.database)) == set()


@pytest.mark.parametrize("door", ["refresh", "logout", "password"])
def test_what_ends_its_own_token_takes_no_key_and_says_so(world: World, door: str) -> None:
    body = {"current_password": "wrong one", "new_password": "long enough"} if door == "password" else None
    before = contents(world.database)
    for _ in range(10):
        answer = world.call("bert", "POST", f"/auth/{door}", json=body, headers=KEY)
        assert (answer.status_code, answer.json()["details"]["errors"][0]["field"]) == (
            422,
            "Idempotency-Key",
        )
    assert f"POST /auth/{door}" not in KEYED
    assert changed(before, contents(world.database)) <= {"audit", "audit_head"}
    assert world.call("bert", "GET", "/auth/me").status_code == 200


def test_every_post_that_makes_something_takes_a_key() -> None:
    posts = {
        f"{each.method} {each.path}" for each in ROUTES if each.method == "POST" and "/auth/" not in each.path
    }
    assert posts - KEYED == set()


def test_applying_a_plan_is_done_once(world: World, worker: None) -> None:
    body = {"documents": [{"kind": "Package", "metadata": {"name": "gold"}}]}
    plan = world.call("admin", "POST", "/plans?wait=20", json=body).json()
    answers = [_post(world, "admin", {}, f"/plans/{plan['id']}/apply") for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    with world.database.reading() as connection:
        query = select(func.count()).where(audit.c.action == "POST /plans/{id}/apply")
        assert connection.execute(query).scalar_one() == 1
