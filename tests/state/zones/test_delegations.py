"""What zones that are served here say of those below them: the nearest one that is served says it."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from state import reading, store
from state.dns.signing import Seen
from state.document import Condition, Document, Status
from state.kinds import KINDS
from state.reading import from_row
from state.statuses import save_statuses, settle
from state.tables import documents
from state.tombstones import forget
from state.zones.copies import copies
from state.zones.delegations import published_here
from state.zones.secondaries import NameServer, assign
from tests.state.conftest import Company

DS = "60485 13 2 " + "ab" * 32


@pytest.fixture
def above(company: Company) -> Document:
    company.user("anna")
    return zone(company, "firm.example")


def zone(company: Company, name: str, **values: Any) -> Document:
    with company.database.writing() as connection:
        return store.create(connection, KINDS["DnsZone"], name, "anna", values, actor="test")


def record(company: Company, whole: Document, name: str, **values: Any) -> Document:
    spec = {"name": name, "record_type": "DS", "value": DS, "ttl": 60, **values}
    with company.database.writing() as connection:
        return store.create(connection, KINDS["DnsRecord"], "", "anna", spec, actor="test", whole=whole)


def seen(company: Company, name: str) -> Seen | None:
    with company.database.reading() as connection:
        return published_here(connection, name)


def served(company: Company, *, ready: bool = True, only: str = "") -> None:
    """All is pending no more, or all of this name; and what became of it."""
    with company.database.writing() as connection:
        query = select(documents).where(documents.c.name == only if only else True)
        found = [from_row(row) for row in connection.execute(query).mappings()]
        settle(connection, found)
        condition = Condition("Ready", ready, "Told", "", 1, datetime.now(UTC))
        applied = {"config:named/x.zone": "digest"}
        save_statuses(connection, [Status(d.uid, 1, (condition,), applied) for d in found])


def test_its_ds_records_are_told_with_the_longest_of_their_times(company: Company, above: Document) -> None:
    record(company, above, "a")
    record(company, above, "a", value=DS.replace("60485", "60486"), ttl=7200)
    record(company, above, "b")
    record(company, above, "a", value=DS.replace("60485", "60487"), is_active=False)
    served(company)
    found = seen(company, "a.firm.example")
    assert found
    assert sorted(found.published) == sorted([DS.upper(), DS.replace("60485", "60486").upper()])
    assert found.ttl == 7200
    assert seen(company, "c.firm.example") == Seen()


def test_of_a_zone_above_that_is_not_served_here_nothing_is_known(company: Company, above: Document) -> None:
    assert seen(company, "firm.example") is None
    assert seen(company, "a.other.example") is None
    company.change(above, is_active=False)
    assert seen(company, "a.firm.example") is None
    with company.database.writing() as connection:
        connection.execute(update(documents).values(target=""))
    company.change(above, is_active=True)
    assert seen(company, "a.firm.example") is None


def test_the_nearest_one_knows_and_a_deleted_one_does_not(company: Company, above: Document) -> None:
    between = zone(company, "a.firm.example")
    record(company, above, "x.a")
    served(company)
    assert seen(company, "x.a.firm.example") == Seen()
    company.remove(between)
    with company.database.writing() as connection:
        forget(connection, [between.uid])
    found = seen(company, "x.a.firm.example")
    assert found
    assert found.published == (DS.upper(),)


def test_a_ds_that_is_wanted_no_more_is_published_until_that_is_served(
    company: Company, above: Document
) -> None:
    ds = record(company, above, "a")
    served(company)
    company.remove(ds)
    assert "not served everywhere" in told(company)
    served(company, ready=False)
    assert "firm.example is not served everywhere" in told(company)
    served(company)
    assert seen(company, "a.firm.example") == Seen()


def test_it_is_published_as_long_as_a_secondary_may_have_it(company: Company, above: Document) -> None:
    served(company)
    with company.database.writing() as connection:
        assign(connection, {above.target: NameServer(("web2" if above.target == "web1" else "web1",))})
        (copy,) = copies(connection, [above.name])
    served(company, only=above.name)
    assert told(company)
    served(company, ready=False, only=copy.name)
    assert told(company)
    served(company, only=copy.name)
    assert seen(company, "a.firm.example") == Seen()


@pytest.mark.parametrize("deleted", [False, True])
def test_it_is_published_as_long_as_a_zone_that_goes_is_still_there(
    company: Company, above: Document, deleted: bool
) -> None:
    record(company, above, "a")
    served(company)
    if deleted:
        company.remove(above)
    else:
        company.change(above, is_active=False)
    assert told(company)
    with company.database.writing() as connection:
        save_statuses(connection, [Status(above.uid)])
        assert reading.get(connection, above.uid)
    assert seen(company, "a.firm.example") is None


def told(company: Company) -> str:
    """Why it is not known what is published."""
    found = seen(company, "a.firm.example")
    assert found
    assert not found.published
    return found.unknown
