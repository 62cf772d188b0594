"""Jobs that wait: which one is next, and what can be done to one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from state import job_queue
from state.database import Database
from state.errors import Conflict
from state.job_queue import (
    bury_jobs,
    cancel_job,
    check_waiting,
    is_due,
    move_job,
    postpone_job,
    retry_job,
    take_job,
)
from state.job_types import ASKED, DNS_SYNC, JOB_TYPES, PURGE, RECONCILE, SSL_ISSUE, SSL_RENEW, SWEEP
from state.jobs import Job, add_job, finish_job, get_job, log, read_log
from state.journal.tables import events
from state.tables import jobs
from tests.state.conftest import at_once

ALL = JOB_TYPES.keys()
LATER = timedelta(hours=1)


def _add(database: Database, job_type: str = RECONCILE, **values: Any) -> str:
    with database.writing() as connection:
        return add_job(connection, job_type, **{"target": "web1", **values})


def _take(database: Database, target: str = "web1", types: Any = ALL) -> Job | None:
    with database.writing() as connection:
        return take_job(connection, target, types, "me")


def _get(database: Database, job: str) -> Job:
    with database.reading() as connection:
        return get_job(connection, job)


def test_jobs_are_taken_by_priority_then_by_age_whatever_their_sort(database: Database) -> None:
    made = [
        _add(database, kind, priority=n) for kind, n in ((SWEEP, 0), (RECONCILE, 5), (SWEEP, 5), (PURGE, 9))
    ]
    taken = [job.id for job in iter(lambda: _take(database), None)]
    assert taken == [made[3], made[1], made[2], made[0]]


def test_a_job_waits_for_its_time_its_host_and_its_sort(database: Database) -> None:
    _add(database, scheduled_for=datetime.now(UTC) + LATER)
    _add(database, target="web2")
    _add(database, "backup")
    with database.reading() as connection:
        assert not is_due(connection, "web1", ALL)
        assert is_due(connection, "web2", ALL)
    assert _take(database) is None
    due = _add(database, scheduled_for=datetime.now(UTC) - LATER)
    assert getattr(_take(database), "id", None) == due


def test_a_job_is_taken_once(database: Database) -> None:
    made = {_add(database) for _ in range(3)}
    taken = [job for job in at_once(*[lambda: _take(database)] * 8) if job is not None]
    assert len(taken) == len({job.id for job in taken})
    assert {job.id for job in taken} <= made
    assert all(_get(database, job.id).status == "running" for job in taken)


@pytest.mark.parametrize(
    "act",
    [cancel_job, lambda c, job: move_job(c, job, 1, None)],
    ids=["cancel", "move"],
)
@pytest.mark.parametrize("ending", ["running", "completed", "failed", "cancelled"])
def test_only_a_pending_job_is_cancelled_or_moved(
    database: Database, act: Callable[[Any, str], None], ending: str
) -> None:
    job = _add(database)
    with database.writing() as connection:
        connection.execute(update(jobs).values(status=ending))
        with pytest.raises(Conflict, match=ending) as caught:
            act(connection, job)
    assert caught.value.code == "job_not_pending"


def test_a_job_is_moved(database: Database) -> None:
    job, moment = _add(database), datetime.now(UTC) + LATER
    with database.writing() as connection:
        move_job(connection, job, 42, moment)
    moved = _get(database, job)
    assert (moved.priority, moved.scheduled_for) == (42, moment)


@pytest.mark.parametrize("ending", ["failed", "cancelled"])
def test_a_job_that_did_not_succeed_is_tried_again_as_it_was(database: Database, ending: str) -> None:
    moment = datetime.now(UTC) + LATER
    job = _add(database, PURGE, owner="anna", parameters={"a": 1}, priority=3, scheduled_for=moment)
    with database.writing() as connection:
        connection.execute(update(jobs).values(status=ending))
        again = get_job(connection, retry_job(connection, get_job(connection, job)))
    assert (again.status, again.retry_of, again.job_type) == ("pending", job, PURGE)
    assert (again.owner, again.target, again.parameters, again.priority) == ("anna", "web1", {"a": 1}, 3)
    assert again.scheduled_for == moment


def test_what_was_due_before_is_due_at_once_when_tried_again(database: Database) -> None:
    job = _add(database, scheduled_for=datetime.now(UTC) - LATER)
    with database.writing() as connection:
        finish_job(connection, job, "failed", {})
        assert get_job(connection, retry_job(connection, get_job(connection, job))).scheduled_for is None


@pytest.mark.parametrize("status", ["pending", "running", "completed"])
def test_a_job_that_did_not_fail_is_not_tried_again(database: Database, status: str) -> None:
    job = _add(database)
    with database.writing() as connection:
        connection.execute(update(jobs).values(status=status))
        with pytest.raises(Conflict, match=status):
            retry_job(connection, get_job(connection, job))


def test_a_sort_that_nobody_can_do_is_not_tried_again(database: Database) -> None:
    job = _add(database, "backup")
    with database.writing() as connection:
        finish_job(connection, job, "failed", {})
        with pytest.raises(Conflict, match="backup"):
            retry_job(connection, get_job(connection, job))


def test_a_job_is_tried_again_once_at_a_time(database: Database) -> None:
    job = _add(database)
    with database.writing() as connection:
        finish_job(connection, job, "failed", {})

    def again() -> str:
        with database.writing() as connection:
            return retry_job(connection, get_job(connection, job))

    results = at_once(*[again] * 4)
    made = [each for each in results if isinstance(each, str)]
    assert len(made) == 1
    assert {each.code for each in results if isinstance(each, Conflict)} == {"job_retried"}
    with database.writing() as connection:
        cancel_job(connection, made[0])
        assert retry_job(connection, get_job(connection, job)) != made[0]


def test_an_owner_has_a_bounded_number_of_jobs_waiting(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_queue, "MOST_WAITING", 2)
    for kind, owner in ((RECONCILE, "anna"), (PURGE, "anna"), (RECONCILE, "bert")):
        _add(database, kind, owner=owner)
    with database.writing() as connection:
        check_waiting(connection, "anna")
        add_job(connection, RECONCILE, owner="anna", target="web1")
        with pytest.raises(Conflict, match="2 jobs"):
            check_waiting(connection, "anna")
        check_waiting(connection, "bert")


def test_of_a_dead_worker_no_job_stays_running(database: Database) -> None:
    made = {kind: _add(database, kind, holder="gone") for kind in (*JOB_TYPES, "backup")}
    other = _add(database, target="web2", holder="alive")
    with database.writing() as connection:
        assert bury_jobs(connection, "web1") == len(made)
    found = {kind: _get(database, job).status for kind, job in made.items()}
    again = {DNS_SYNC: "failed"} | dict.fromkeys((PURGE, SSL_ISSUE, SSL_RENEW), "pending")
    assert found == {RECONCILE: "failed", SWEEP: "failed", "backup": "failed", **again}
    assert _get(database, other).status == "running"
    with database.reading() as connection:
        assert all("worker died" in read_log(connection, job)[-1][1] for job in made.values())


def test_neither_log_nor_results_of_a_job_hold_a_secret(database: Database) -> None:
    job = _add(database, holder="me")
    with database.writing() as connection:
        log(connection, job, "password=hunter2")
        postpone_job(connection, job, datetime.now(UTC), "mysql://root:hunter2@db failed")
        results = {"config:x": {"status": "refused", "message": "line 3: token=hunter2"}}
        finish_job(connection, job, "failed", results)
    with database.reading() as connection:
        assert "hunter2" not in str(read_log(connection, job))
        assert get_job(connection, job).results["config:x"]["message"] == "line 3: token=[redacted]"


def test_what_can_be_asked_for_says_what_it_needs() -> None:
    assert set(ASKED) == {RECONCILE, DNS_SYNC, SWEEP}
    for each in ASKED.values():
        assert each.parameters is not None
        assert each.parameters.model_config["extra"] == "forbid"


def test_a_job_is_told_of_when_it_starts(database: Database) -> None:
    _add(database, owner="anna")
    _take(database)
    with database.reading() as connection:
        assert connection.execute(select(events.c.event)).scalars().all() == ["job.started"]
