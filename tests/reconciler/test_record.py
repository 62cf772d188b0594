"""The record of a pass: its jobs, and the purge of what it puts aside, whatever happens in between."""

from sqlalchemy import select

from reconciler.apply import Applied, Result
from reconciler.changes import Action
from reconciler.record import Journal
from reconciler.subject import Survey
from state.database import Database
from state.tables import jobs
from tests.reconciler.worlds import host_with
from tests.state.companies import buried, company, site, user

STAMP = "20260501T120000Z"
HOME = "/home/anna"


def _leaving() -> Survey:
    """Anna goes, with her site: her account and her home are to be put aside."""
    here = host_with(company(user(), site()))
    return here.survey(company(buried(user()), buried(site())))


def _purges(database: Database) -> list[dict[str, object]]:
    with database.reading() as connection:
        rows = connection.execute(select(jobs).where(jobs.c.job_type == "purge")).mappings()
        return [dict(row) for row in rows]


def test_the_purge_is_dated_before_anything_is_put_aside(database: Database) -> None:
    survey = _leaving()
    Journal(database, survey, STAMP, 30).__enter__()
    (purge,) = _purges(database)
    assert purge["status"] == "pending"
    assert purge["parameters"]["stamp"] == STAMP
    assert set(purge["parameters"]["uids"]) >= {
        c.document for c in survey.plan.changes if c.key == f"directory:{HOME}"
    }


def test_the_purge_is_of_what_was_put_aside_in_the_end(database: Database) -> None:
    survey = _leaving()
    results = {c.key: Result("failed", "no") for c in survey.plan.changes}
    home = next(c for c in survey.plan.changes if c.key == f"directory:{HOME}" and c.action is Action.DELETE)
    results[home.key] = Result("applied")
    with Journal(database, survey, STAMP, 30) as journal, database.writing() as connection:
        journal.ended(connection, Applied(results, {}, {}, {}))
    (purge,) = _purges(database)
    assert purge["parameters"]["uids"] == [home.document]


def test_nothing_is_purged_where_nothing_was_put_aside(database: Database) -> None:
    survey = _leaving()
    results = {c.key: Result("failed", "no") for c in survey.plan.changes}
    with Journal(database, survey, STAMP, 30) as journal, database.writing() as connection:
        journal.ended(connection, Applied(results, {}, {}, {}))
    assert _purges(database) == []
