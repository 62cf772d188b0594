"""Answers of zones to authorities: there as long as their job is, one job's apart from another's, and looked at."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, update

from state import store
from state.certificates.challenges import answers, behind, left_behind, problem, publish, withdraw
from state.database import Database
from state.document import Condition, Document, Status
from state.kinds import KINDS
from state.reading import pending
from state.statuses import save_statuses, settle
from state.tables import documents, targets
from state.zones.copies import copies, follow
from tests.state.conftest import Company


@pytest.fixture
def zone(company: Company, database: Database) -> Document:
    company.user("anna")
    with database.writing() as connection:
        return store.create(connection, KINDS["DnsZone"], "example.com", "anna", {}, actor="test")


def _looked_at(connection: Connection, zone: Document, *, status: bool, blocked: str = "") -> None:
    now = datetime.now(UTC)
    told = [
        Condition("Ready", status, "x", "y", 1, now),
        Condition("Blocked", bool(blocked), "x", blocked, 1, now),
    ]
    save_statuses(connection, [Status(zone.uid, 1, tuple(told))])
    settle(connection, pending(connection, zone.target))


def test_a_zone_answers_for_every_job_until_that_ends(database: Database, zone: Document) -> None:
    with database.writing() as connection:
        publish(
            connection, "job1", "web1", {zone.uid: [("_acme-challenge", "one"), ("_acme-challenge", "two")]}
        )
        publish(
            connection,
            "job2",
            "web1",
            {zone.uid: [("_acme-challenge", "two"), ("_acme-challenge.x", "three")]},
        )
        both = (("_acme-challenge", "one"), ("_acme-challenge", "two"), ("_acme-challenge.x", "three"))
        assert answers(connection, zone.target) == {zone.uid: both}
        assert answers(connection, "elsewhere") == {}
        withdraw(connection, ["job1"])
        assert answers(connection, zone.target) == {zone.uid: both[1:]}
        publish(connection, "job2", "web1", {zone.uid: [("_acme-challenge", "four")]})
        assert answers(connection, zone.target) == {zone.uid: (("_acme-challenge", "four"),)}
        publish(connection, "job2", "web1", {})
        assert answers(connection, zone.target) == {}


def test_the_zone_is_looked_at_whenever_what_it_answers_changes(database: Database, zone: Document) -> None:
    with database.writing() as connection:
        for change in (
            lambda: publish(connection, "job", "web1", {zone.uid: [("_acme-challenge", "one")]}),
            lambda: withdraw(connection, ["job"]),
        ):
            _looked_at(connection, zone, status=True)
            assert pending(connection, zone.target) == []
            change()
            assert [d.uid for d in pending(connection, zone.target)] == [zone.uid]
        _looked_at(connection, zone, status=True)
        withdraw(connection, ["job"])
        assert pending(connection, zone.target) == []


def test_what_is_answered_for_jobs_that_nobody_is_at_is_known(database: Database, zone: Document) -> None:
    with database.writing() as connection:
        for job in ("job1", "job2"):
            publish(connection, job, "web1", {zone.uid: [("_acme-challenge", job)]})
        assert left_behind(connection, "web1", {"job1"}) == ["job2"]
        assert left_behind(connection, "web2", ()) == []


def test_a_zone_answers_when_it_was_looked_at_and_all_of_it_is_right(
    database: Database, zone: Document
) -> None:
    with database.writing() as connection:
        assert problem(connection, zone.uid) is None
        _looked_at(connection, zone, status=False)
        assert problem(connection, zone.uid) is None
        _looked_at(connection, zone, status=True)
        assert problem(connection, zone.uid) == ""
        _looked_at(connection, zone, status=False, blocked="no name server")
        assert problem(connection, zone.uid) == "the zone is not served: no name server"
        connection.execute(
            update(documents).where(documents.c.uid == zone.uid).values(deleted_at=datetime.now(UTC))
        )
        assert problem(connection, zone.uid) == "the zone was deleted"
        assert problem(connection, "nobody") == "the zone was deleted"


def test_a_secondary_that_has_not_looked_since_is_behind(database: Database, zone: Document) -> None:
    with database.writing() as connection:
        assert not behind(connection, zone.uid)
        connection.execute(update(targets).where(targets.c.name == zone.target).values(secondaries=["web2"]))
        follow(connection, zone)
        (copy,) = copies(connection, [zone.name])
        assert behind(connection, zone.uid)
        for ready in (False, True):
            _looked_at(connection, copy, status=ready)
            assert behind(connection, zone.uid) is not ready
        assert not behind(connection, "nobody")
