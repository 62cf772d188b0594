"""Jobs and their logs."""

from threading import Timer

import pytest

from state.jobs import add_job, finish_job, log
from tests.api.conftest import World


def _job(world: World, owner: str, *, holder: str = "", job_type: str = "apply") -> str:
    with world.database.writing() as connection:
        job = add_job(connection, job_type, owner=owner, target="web1", parameters={"n": 1}, holder=holder)
        log(connection, job, "first line", "password=hunter2")
    return job


def test_a_job_says_how_it_went_and_no_secrets(world: World) -> None:
    job = _job(world, "anna", holder="w")
    with world.database.writing() as connection:
        finish_job(connection, job, "completed", {"file:/x": "changed"})
    shown = world.call("anna", "GET", f"/jobs/{job}").json()
    assert shown["completed_at"] >= shown["started_at"]
    assert (shown["status"], shown["results"]) == ("completed", {"file:/x": "changed"})
    assert shown["output_log"] == "first line\npassword=[redacted]"


def test_jobs_are_listed_to_whom_they_belong(world_on_both: World) -> None:
    for owner in ("anna", "bert", ""):
        _job(world_on_both, owner)
    totals = [world_on_both.call(who, "GET", "/jobs").json()["total"] for who in ("admin", "resi", "bert")]
    assert totals == [3, 1, 1]


def test_jobs_are_filtered(world_on_both: World) -> None:
    _job(world_on_both, "anna", holder="w", job_type="backup")
    _job(world_on_both, "anna", job_type="backup")
    _job(world_on_both, "bert", job_type="sweep")
    path = f"/jobs?status=running,failed&job_type=backup&user_id={world_on_both.uids['anna']}"
    listed = world_on_both.call("admin", "GET", path).json()
    assert [each["status"] for each in listed["jobs"]] == ["running"]
    assert listed["jobs"][0]["output_log"].startswith("first line")


def test_a_pending_job_is_cancelled_a_running_one_is_not(world: World) -> None:
    pending, running = _job(world, "anna"), _job(world, "anna", holder="w")
    assert world.call("anna", "DELETE", f"/jobs/{pending}").status_code == 204
    assert world.call("anna", "GET", f"/jobs/{pending}").json()["status"] == "cancelled"
    assert world.call("anna", "DELETE", f"/jobs/{running}").status_code == 409


@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("DELETE", ""), ("GET", "/log")])
def test_anothers_job_is_not_there(world: World, method: str, tail: str) -> None:
    job = _job(world, "bert")
    assert world.call("anna", method, f"/jobs/{job}{tail}").status_code == 404


def test_a_running_jobs_log_is_followed_to_its_end(world: World) -> None:
    job = _job(world, "anna", holder="w")

    def finish() -> None:
        with world.database.writing() as connection:
            log(connection, job, "last\nline")
            finish_job(connection, job, "completed", {})

    timer = Timer(0.3, finish)
    timer.start()
    answer = world.call("anna", "GET", f"/jobs/{job}/log")
    timer.join()
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    events = [block.splitlines() for block in answer.text.strip().split("\n\n")]
    assert [block[0] for block in events] == ["event: line"] * 3 + ["event: end"]
    assert [block[2] for block in events][2:] == ['data: "last\\nline"', 'data: "completed"']
