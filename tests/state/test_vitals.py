"""What waits, and how everything is, as the database knows it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import event, update

from state.database import Database
from state.document import Condition, Status
from state.jobs import add_job, finish_job
from state.journal.deliveries import ping
from state.journal.event import of_job
from state.journal.events import emit
from state.journal.tables import deliveries, webhooks
from state.plans import ask
from state.reading import pending
from state.statuses import save_statuses, settle
from state.tables import documents, jobs
from state.targets import swept
from state.vitals import Waiting, listed_hosts, vitals, waiting
from tests.state.conftest import Company


def _now() -> datetime:
    return datetime.now(UTC)


def test_an_empty_house_waits_for_nothing(company: Company) -> None:
    with company.database.writing() as connection:
        connection.execute(update(documents).values(pending=False))
        found = waiting(connection, _now())
    assert (found.documents, found.plans, found.oldest_plan) == (0, 0, None)
    assert (found.deliveries, found.oldest_delivery) == (0, None)


def test_what_is_pending_is_counted(company: Company) -> None:
    company.user("anna")
    company.site("anna.example", "anna")
    with company.database.reading() as connection:
        assert waiting(connection, _now()).documents == 2


def test_plans_wait_since_they_were_asked(company: Company) -> None:
    before = _now()
    with company.database.writing() as connection:
        ask(connection, "anna", {}, {})
        ask(connection, "anna", {}, {})
        found = waiting(connection, _now())
    assert found.plans == 2
    assert found.oldest_plan is not None
    assert before <= found.oldest_plan <= _now()


def _hook(company: Company, *, active: bool = True) -> str:
    now, uid = _now(), company.user(f"user{active}".lower()).uid
    row = {"id": f"hook-{active}", "uid": uid, "url": "https://x.example", "events": ["*"], "secret": "s"}
    more = {"is_active": active, "disabled_reason": "", "since": 0, "created_at": now, "updated_at": now}
    with company.database.writing() as connection:
        connection.execute(webhooks.insert().values(**row, **more))
    return f"hook-{active}"


def test_deliveries_are_late_from_the_time_they_are_due(company: Company) -> None:
    hook, idle = _hook(company), _hook(company, active=False)
    with company.database.writing() as connection:
        first, second, later = (ping(connection, hook) for _ in range(3))
        ping(connection, idle)
        due = _now() - timedelta(hours=1)
        for uid, at in ((second, due), (later, _now() + timedelta(hours=1))):
            connection.execute(update(deliveries).where(deliveries.c.id == uid).values(next_at=at))
        found = waiting(connection, _now())
        assert (found.deliveries, found.oldest_delivery) == (2, due)
        connection.execute(update(deliveries).where(deliveries.c.id == first).values(status="failed"))
        assert vitals(connection, _now()).deliveries == {("pending",): 3, ("failed",): 1}


def test_events_lag_until_deliveries_are_made_of_them(company: Company) -> None:
    with company.database.reading() as connection:
        before = waiting(connection, _now()).events
    with company.database.writing() as connection:
        emit(connection, of_job("j", "purge", "", "started", ""))
    with company.database.reading() as connection:
        assert waiting(connection, _now()).events == before + 1


def test_jobs_that_ended_long_ago_are_not_counted(company: Company) -> None:
    with company.database.writing() as connection:
        old, new, open_ = (add_job(connection, "purge", target="web1") for _ in range(3))
        for job in (old, new):
            finish_job(connection, job, "completed", {})
        connection.execute(
            update(jobs).where(jobs.c.id.in_([old, open_])).values(created_at=_now() - timedelta(days=2))
        )
        assert vitals(connection, _now()).jobs == {("pending",): 1, ("completed",): 1}


def test_documents_are_ready_at_the_generation_that_is_wanted(company: Company) -> None:
    anna = company.user("anna")
    company.user("bert")
    ready = Condition("Ready", True, "Converged", "", 1, _now())
    with company.database.writing() as connection:
        save_statuses(connection, [Status(anna.uid, 1, (ready,))])
        settle(connection, [anna])
        found = vitals(connection, _now()).documents
    assert (found["User", True], found["User", False]) == (1, 1)
    company.change(anna, full_name="Anna")
    with company.database.reading() as connection:
        assert vitals(connection, _now()).documents["User", True] == 0


def test_hosts_are_told_with_what_was_found(company: Company) -> None:
    with company.database.writing() as connection:
        swept(connection, "web1", drifted=3, unmanaged=["a", "b"])
        assert vitals(connection, _now()).hosts == {"web1": (True, 3, 2), "web2": (True, 0, 0)}
        assert listed_hosts(connection) == {"web1", "web2"}
    assert Waiting().documents == 0


def test_what_is_pending_is_found_by_its_index(sqlite: Database) -> None:
    asked: list[tuple[str, Any]] = []

    def note(*given: Any) -> None:
        asked.append((given[2], given[3]))

    with sqlite.reading() as connection:
        event.listen(connection, "before_cursor_execute", note)
        waiting(connection, _now())
        pending(connection, "web1")
        found = [each for each in asked if "documents.pending" in each[0]]
        plans = [
            str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values).all())
            for query, values in found
        ]
    assert len(plans) == 2
    assert all("ix_documents_pending" in plan for plan in plans)
