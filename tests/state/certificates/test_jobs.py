"""The history of what was ordered and had, which outlives documents, and which certificates wait for what."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import event, insert

from state.certificates.jobs import failures, had_alike, limits, note_order, ordered, troubled_by
from state.database import Database
from state.job_queue import take_job
from state.jobs import add_job, finish_job, get_job
from state.keeping import keep
from state.tables import jobs
from tests.state.conftest import Company

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAMES = ("b.example", "a.example")


def _job(
    owner: str = "anna",
    *,
    ago: timedelta | None = HOUR,
    status: str = "completed",
    outcome: str = "issued",
    **certificate: Any,
) -> dict[str, Any]:
    """A row of the table of jobs; one that goes on where it is of no time ago."""
    told = {"status": outcome, "authority": "it", "orders": 1, "names": sorted(NAMES), **certificate}
    plain = {"target": "web1", "parameters": {}, "priority": 0, "holder": "", "job_type": "ssl_issue"}
    row = {**plain, "id": str(uuid4()), "owner": owner, "status": status, "created_at": NOW - 9 * HOUR}
    return {**row, "completed_at": None if ago is None else NOW - ago, "results": {"certificate": told}}


def test_only_certificates_for_just_the_same_names_of_the_same_authority_are_alike(
    database: Database,
) -> None:
    mine = [
        _job(ago=HOUR),
        _job("bert", ago=2 * HOUR, authority="https://it.example/dir"),
        _job("carl", ago=None, status="running", outcome="ordered"),
    ]
    others = [
        _job(status="failed", outcome="failed"),
        _job(outcome="unchanged"),
        _job(ago=timedelta(days=7)),
        _job(status="failed", names=None),
        _job(authority="another"),
        _job(names=["a.example"]),
        _job(names=["a.example", "c.example"]),
        {**_job(), "job_type": "reconcile"},
        {**_job(), "results": {}},
    ]
    with database.writing() as connection:
        connection.execute(insert(jobs), [*mine, *others])
    with database.reading() as connection:
        found = had_alike(connection, ("it", "https://it.example/dir"), NAMES, NOW)
        assert sorted(found) == [NOW - 2 * HOUR, NOW - HOUR, NOW]
        known = ("it", "https://it.example/dir")
        assert NOW not in had_alike(connection, known, NAMES, NOW, str(mine[-1]["id"]))
        assert had_alike(connection, ("nobody",), NAMES, NOW) == ()


def test_every_order_of_an_owner_counts_whatever_became_of_it(database: Database) -> None:
    mine = [
        _job(orders=3, status="failed"),
        _job(ago=2 * HOUR),
        _job(ago=None, status="running"),
        _job(ago=None, status="pending"),
    ]
    others = [
        _job("bert"),
        _job(authority="another"),
        _job(ago=3 * HOUR),
        {**_job(), "results": {}},
    ]
    with database.writing() as connection:
        connection.execute(insert(jobs), [*mine, *others])
    with database.reading() as connection:
        found = ordered(connection, ("it",), "anna", NOW)
    assert sorted(found) == [NOW - 2 * HOUR, *[NOW - HOUR] * 3, NOW, NOW]


def test_the_name_that_failed_most_often_within_an_hour_counts(database: Database) -> None:
    minute = timedelta(minutes=1)
    rows = [
        _job(ago=minute, failed=["a.example", "b.example"]),
        _job("bert", ago=2 * minute, outcome="failed", failed=["b.example"]),
        _job(ago=60 * minute, failed=["b.example"]),
        _job(ago=minute, authority="another", failed=["b.example"]),
        _job(ago=minute, failed=["c.example"]),
        _job(ago=minute),
    ]
    with database.writing() as connection:
        connection.execute(insert(jobs), rows)
    with database.reading() as connection:
        assert sorted(failures(connection, ("it",), NAMES, NOW)) == [NOW - 2 * minute, NOW - minute]
        assert failures(connection, ("it",), ["d.example"], NOW) == ()
        assert failures(connection, ("it",), [], NOW) == ()


def test_what_an_authority_said_of_all_is_found(database: Database) -> None:
    until = NOW + 2 * HOUR
    told = {"reason": "RateLimited", "retry_at": until.isoformat(), "names": None, "status": "failed"}
    minute = timedelta(minutes=1)
    rows = [
        _job(ago=minute, **told),
        _job("bert", ago=2 * minute, **{**told, "authority": "https://it.example/dir", "orders": 0}),
        _job("bert", ago=15 * minute, **told),
        _job(ago=minute, **{**told, "reason": "NameFailed"}),
        _job(ago=minute, **{**told, "authority": "another"}),
        _job(ago=minute),
    ]
    with database.writing() as connection:
        connection.execute(insert(jobs), rows)
    with database.reading() as connection:
        found = limits(connection, ("it", "https://it.example/dir"), NOW)
    assert {each.owner: (each.at, each.until) for each in found} == {
        "anna": (NOW - minute, until),
        "bert": (NOW - 2 * minute, until),
    }


def test_orders_are_noted_while_a_job_goes_on(database: Database) -> None:
    with database.writing() as connection:
        job = add_job(connection, "ssl_issue", owner="anna", target="web1")
        note_order(connection, job, "it", NAMES)
        assert get_job(connection, job).results == {}
        assert take_job(connection, "web1", ("ssl_issue",), "me")
        for count in (1, 2):
            note_order(connection, job, "it", NAMES)
            told = {"status": "ordered", "authority": "it", "orders": count, "names": sorted(NAMES)}
            assert get_job(connection, job).results == {"certificate": told}
        finish_job(connection, job, "failed", {})
        note_order(connection, job, "it", NAMES)
        assert get_job(connection, job).results == {}


def test_the_history_is_found_by_its_index_among_many_jobs(database: Database) -> None:
    runs = [{**_job(f"u{n % 99}"), "job_type": "reconcile"} for n in range(5000)]
    asked: list[tuple[str, Any]] = []
    with database.writing() as connection:
        connection.execute(insert(jobs), [*runs, *(_job(ago=n * HOUR) for n in range(400))])
    if not database.sqlite:
        with database.writing() as connection:
            connection.exec_driver_sql("ANALYZE jobs")

    def hear(_c: Any, _u: Any, statement: str, parameters: Any, _x: Any, _m: bool) -> None:
        asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", hear)
    with database.reading() as connection:
        had_alike(connection, ("it",), NAMES, NOW)
        ordered(connection, ("it",), "anna", NOW)
    event.remove(database.engine, "before_cursor_execute", hear)
    queries = [each for each in asked if "FROM jobs" in each[0]]
    how = "EXPLAIN QUERY PLAN" if database.sqlite else "EXPLAIN"
    with database.reading() as connection:
        plans = [str(connection.exec_driver_sql(f"{how} {each}", values).all()) for each, values in queries]
    assert len(plans) == 2
    assert all("ix_jobs_certifying" in plan for plan in plans), plans


def test_certificates_that_wait_for_want_of_something_are_found_by_owner(
    company: Company, database: Database
) -> None:
    company.user("anna")
    company.user("bert")
    failure = {"code": "NotServedHere", "message": "no", "tries": 1}
    other = {**failure, "code": "NameFailed"}
    kept = {
        "a": {"trouble": failure},
        "b": {"left_out": {"x.example": other, "y.example": failure}},
        "c": {"trouble": other, "left_out": {"x.example": other}},
        "d": {"issuer": "NotServedHere"},
    }
    uids = {}
    for name, values in kept.items():
        one = company.certificate(f"{name}.example", "anna")
        uids[name] = one.uid
        with database.writing() as connection:
            keep(connection, one.uid, values)
    with database.reading() as connection:
        target = one.target
        assert set(troubled_by(connection, "NotServedHere", target, {"anna"})) == {uids["a"], uids["b"]}
        assert troubled_by(connection, "NotServedHere", target, {"bert"}) == []
        assert troubled_by(connection, "NotServedHere", "web9", {"anna"}) == []
        assert troubled_by(connection, "NotServedHere", target, set()) == []
