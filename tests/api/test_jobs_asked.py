"""Asking for a job, moving, cancelling and retrying it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from state.jobs import add_job, finish_job, get_job
from state.queue import ring
from state.tables import jobs, targets
from tests.api.conftest import World

MERGE = {"Content-Type": "application/merge-patch+json"}


def _ask(world: World, who: str, job_type: str = "reconcile", **body: Any) -> Any:
    return world.call(who, "POST", "/jobs", json={"job_type": job_type, **body})


def _refused(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [each["field"] for each in answer.json()["details"]["errors"]]


def test_a_user_has_its_documents_looked_at(world_on_both: World) -> None:
    answer = _ask(world_on_both, "anna", priority=1, scheduled_for="2024-01-01T03:00:00Z")
    made = answer.json()
    assert (answer.status_code, answer.headers["Location"]) == (201, f"/api/v1/jobs/{made['id']}")
    assert (made["status"], made["host"], made["user_id"]) == ("pending", "web1", world_on_both.uids["anna"])
    assert (made["priority"], made["scheduled_for"], made["parameters"]) == (1, "2024-01-01T03:00:00Z", {})
    assert world_on_both.call("anna", "GET", f"/jobs/{made['id']}").json() == made


def test_a_job_says_which_request_caused_it(world: World) -> None:
    answer = world.call(
        "anna", "POST", "/jobs", json={"job_type": "reconcile"}, headers={"X-Request-ID": "abc-123"}
    )
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
    listed = world.call("anna", "GET", f"/jobs?request_id={answer.headers['X-Request-ID']}").json()
    assert [each["id"] for each in listed["jobs"]] == [answer.json()["id"]]


@pytest.mark.parametrize(("who", "job_type"), [("admin", "reconcile"), ("admin", "sweep")])
def test_an_administrator_has_a_host_looked_at(world: World, who: str, job_type: str) -> None:
    made = _ask(world, who, job_type, parameters={"host": "web1"}).json()
    assert (made["host"], made["user_id"], made["parameters"]) == ("web1", None, {"host": "web1"})


def test_a_host_is_told_once_the_job_is_stored(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[tuple[str, int]] = []

    def hear(settings: Any, target: str) -> None:
        rung.append((target, world.call("admin", "GET", "/jobs").json()["total"]))
        ring(settings, target)

    monkeypatch.setattr("api.performing.ring", hear)
    _ask(world, "anna")
    assert rung == [("web1", 1)]


@pytest.mark.parametrize("job_type", ["purge", "", "unheard_of", "Reconcile"])
def test_a_sort_that_one_cannot_ask_for_is_told_with_those_that_there_are(
    world: World, job_type: str
) -> None:
    answer = _ask(world, "admin", job_type)
    assert _refused(answer) == ["job_type"]
    assert "reconcile, sweep" in answer.text


@pytest.mark.parametrize("who", ["resi", "anna"])
@pytest.mark.parametrize(
    ("job_type", "code"), [("sweep", "forbidden_role"), ("reconcile", "forbidden_field")]
)
def test_only_administrators_look_at_whole_hosts(world: World, who: str, job_type: str, code: str) -> None:
    answer = _ask(world, who, job_type, parameters={"host": "web1"})
    assert (answer.status_code, answer.json()["details"]["code"]) == (403, code)


def test_only_administrators_move_cancel_and_retry_a_purge(world: World) -> None:
    with world.database.writing() as connection:
        waiting, cancelled = (
            add_job(connection, "purge", owner="anna", target="web1", parameters={}) for _ in range(2)
        )
    assert world.call("admin", "DELETE", f"/jobs/{cancelled}").status_code == 204
    tries = (
        ("PUT", waiting, {"priority": 1}),
        ("DELETE", waiting, None),
        ("POST", f"{cancelled}/retry", None),
    )
    for method, path, body in tries:
        for who in ("anna", "resi"):
            answer = world.call(who, method, f"/jobs/{path}", json=body)
            assert (answer.status_code, answer.json()["details"]["code"]) == (403, "forbidden_role")
    assert [world.call("admin", m, f"/jobs/{p}", json=b).status_code for m, p, b in tries] == [200, 204, 201]


def test_a_reseller_asks_for_its_users(world: World) -> None:
    assert _ask(world, "resi", user_id=world.uids["anna"]).json()["user_id"] == world.uids["anna"]
    assert _refused(_ask(world, "resi", user_id=world.uids["bert"])) == ["user_id"]


def test_only_documents_that_are_meant_can_be_named(world: World) -> None:
    for owner in ("anna", "bert"):
        world.site(f"{owner}.example", owner)
    named = ["WebDomain/anna.example", "User/anna"]
    assert _ask(world, "anna", parameters={"documents": named}).json()["parameters"] == {"documents": named}
    for strange in ("WebDomain/bert.example", "WebDomain/nowhere.example", "Package/basic"):
        answer = _ask(world, "anna", parameters={"documents": [*named, strange]})
        assert _refused(answer) == ["parameters.documents.2"]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"priority": 101}, ["priority"]),
        ({"priority": -1}, ["priority"]),
        ({"priority": "high"}, ["priority"]),
        ({"priority": 1.5}, ["priority"]),
        ({"priority": True}, ["priority"]),
        ({"scheduled_for": "tomorrow"}, ["scheduled_for"]),
        ({"scheduled_for": "2030-01-01"}, ["scheduled_for"]),
        ({"scheduled_for": "2030-01-01T00:00:00"}, ["scheduled_for"]),
        ({"scheduled_for": 1704067200}, ["scheduled_for"]),
        ({"scheduled_for": "9999-12-31T23:59:59Z"}, ["scheduled_for"]),
        ({"user_id": "anna"}, ["user_id"]),
        ({"user_id": "00000000-0000-0000-0000-000000000000"}, ["user_id"]),
        ({"parameters": []}, ["parameters"]),
        ({"parameters": {"hosts": "web1"}}, ["parameters.hosts"]),
        ({"parameters": {"host": "nowhere"}}, ["parameters.host"]),
        ({"parameters": {"host": None, "documents": ["x"]}}, ["parameters.documents.0"]),
        ({"parameters": {}}, ["user_id"]),
        ({"status": "running", "target": "web1"}, ["status", "target"]),
    ],
)
def test_what_a_job_cannot_be_is_told(world: World, body: dict[str, Any], fields: list[str]) -> None:
    assert _refused(_ask(world, "admin", **body)) == fields


def test_all_that_is_wrong_is_told_at_once(world: World) -> None:
    far, nobody = "9999-01-01T00:00:00Z", "00000000-0000-0000-0000-000000000000"
    answer = _ask(world, "admin", scheduled_for=far, user_id=nobody, parameters={"x": 1})
    assert _refused(answer) == ["scheduled_for", "parameters.x", "user_id"]


def test_a_host_and_a_user_are_not_both_said(world: World) -> None:
    answer = _ask(world, "admin", user_id=world.uids["anna"], parameters={"host": "web1"})
    assert _refused(answer) == ["parameters.host"]


def test_a_host_that_is_no_longer_managed_gets_no_jobs(world: World) -> None:
    with world.database.writing() as connection:
        connection.execute(update(targets).values(listed=False))
    assert _refused(_ask(world, "admin", "sweep", parameters={"host": "web1"})) == ["parameters.host"]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_pending_job_is_moved(world_on_both: World, method: str) -> None:
    path = f"/jobs/{_ask(world_on_both, 'anna').json()['id']}"
    later = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
    body = {"priority": 9, "scheduled_for": later.isoformat()}
    headers = MERGE if method == "PATCH" else {}
    moved = world_on_both.call("anna", method, path, json=body, headers=headers)
    assert moved.status_code == 200, moved.text
    assert (moved.json()["priority"], datetime.fromisoformat(moved.json()["scheduled_for"])) == (9, later)
    again = world_on_both.call("anna", method, path, json={"scheduled_for": None}, headers=headers).json()
    assert (again["priority"], again["scheduled_for"]) == (9, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"job_type": "sweep"}, "job_type"),
        ({"parameters": {"host": "web1"}}, "parameters"),
        ({"status": "x"}, "status"),
    ],
)
def test_nothing_else_of_a_job_changes(world: World, body: dict[str, Any], field: str) -> None:
    path = f"/jobs/{_ask(world, 'anna').json()['id']}"
    assert _refused(world.call("anna", "PUT", path, json=body)) == [field]


def test_what_has_begun_is_neither_moved_nor_cancelled(world: World) -> None:
    path = f"/jobs/{_ask(world, 'anna').json()['id']}"
    with world.database.writing() as connection:
        connection.execute(update(jobs).values(status="running"))
    for method, body in (("PUT", {"priority": 1}), ("DELETE", None)):
        answer = world.call("anna", method, path, json=body)
        assert (answer.status_code, answer.json()["details"]["code"]) == (409, "job_not_pending")


def test_only_administrators_bring_a_purge_forward(world: World) -> None:
    later = datetime.now(UTC) + timedelta(days=30)
    with world.database.writing() as connection:
        job = add_job(connection, "purge", owner="anna", target="web1", scheduled_for=later)
    body = {"scheduled_for": None}
    assert world.call("anna", "PUT", f"/jobs/{job}", json=body).status_code == 403
    assert world.call("admin", "PUT", f"/jobs/{job}", json=body).json()["scheduled_for"] is None


def test_a_cancelled_job_is_tried_again_and_says_of_which(world_on_both: World) -> None:
    first = _ask(world_on_both, "anna", parameters={"documents": ["User/anna"]}).json()
    assert world_on_both.call("anna", "DELETE", f"/jobs/{first['id']}").status_code == 204
    answer = world_on_both.call("anna", "POST", f"/jobs/{first['id']}/retry")
    again = answer.json()
    assert (answer.status_code, again["retry_of"], again["status"]) == (201, first["id"], "pending")
    assert answer.headers["Location"] == f"/api/v1/jobs/{again['id']}"
    assert again["parameters"] == first["parameters"]
    twice = world_on_both.call("anna", "POST", f"/jobs/{first['id']}/retry")
    assert (twice.status_code, twice.json()["details"]["job"]) == (409, again["id"])
    listed = world_on_both.call("anna", "GET", f"/jobs?retry_of={first['id']}").json()
    assert [each["id"] for each in listed["jobs"]] == [again["id"]]


def test_a_run_that_was_recorded_as_failed_is_tried_again(world: World) -> None:
    parameters = {"target": "web1", "documents": ["User/anna"], "changes": 1, "requests": []}
    with world.database.writing() as connection:
        run = add_job(connection, "reconcile", owner="anna", target="web1", parameters=parameters, holder="w")
        finish_job(connection, run, "failed", {}, "the worker died")
    assert world.call("anna", "POST", f"/jobs/{run}/retry").json()["parameters"] == parameters


@pytest.mark.parametrize("status", ["pending", "running", "completed"])
def test_a_job_that_did_not_fail_is_not_tried_again(world: World, status: str) -> None:
    job = _ask(world, "anna").json()["id"]
    with world.database.writing() as connection:
        connection.execute(update(jobs).values(status=status))
    answer = world.call("anna", "POST", f"/jobs/{job}/retry")
    assert (answer.status_code, answer.json()["details"]["code"]) == (409, "job_not_retryable")


def test_a_retry_takes_no_body(world: World) -> None:
    job = _ask(world, "anna").json()["id"]
    assert world.call("anna", "POST", f"/jobs/{job}/retry", json={"priority": 100}).status_code == 422


def test_nobody_sees_the_jobs_of_who_had_its_name_before(world_on_both: World) -> None:
    job = _ask(world_on_both, "bert").json()["id"]
    with world_on_both.database.writing() as connection:
        long_ago = get_job(connection, job).created_at - timedelta(days=1)
        connection.execute(update(jobs).values(created_at=long_ago))
    for who in ("bert", "resi"):
        assert world_on_both.call(who, "GET", f"/jobs/{job}").status_code == 404
    assert world_on_both.call("admin", "GET", f"/jobs/{job}").status_code == 200


def test_jobs_that_wait_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("state.job_queue.MOST_WAITING", 1)
    assert [_ask(world, "anna").status_code for _ in range(2)] == [201, 409]
    assert _ask(world, "bert").status_code == 201
