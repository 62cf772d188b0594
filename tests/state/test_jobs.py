"""Jobs that end, and jobs that begin again."""

from datetime import UTC, datetime, timedelta

from state.database import Database
from state.jobs import PURGE, RECONCILE, add_job, bury_jobs, get_job, postpone_job, take_job


def test_of_a_dead_worker_the_runs_have_failed_and_the_purges_begin_again(database: Database) -> None:
    with database.writing() as connection:
        run = add_job(connection, RECONCILE, target="web1", holder="gone")
        purge = add_job(connection, PURGE, target="web1", holder="gone")
        other = add_job(connection, RECONCILE, target="web2", holder="alive")
        assert bury_jobs(connection, "web1") == 2
        assert get_job(connection, run).status == "failed"
        assert get_job(connection, other).status == "running"
        again = take_job(connection, PURGE, "web1", "me")
        assert again is not None
        assert (again.id, again.holder) == (purge, "me")


def test_a_postponed_job_is_pending_until_its_time(database: Database) -> None:
    with database.writing() as connection:
        job = add_job(connection, PURGE, target="web1", holder="me")
        postpone_job(connection, job, datetime.now(UTC) + timedelta(minutes=1), "no answer")
        assert get_job(connection, job).status == "pending"
        assert take_job(connection, PURGE, "web1", "me") is None
