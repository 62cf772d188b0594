"""What zones that are served here say of those below them: the nearest one that is served says it."""

from typing import Any

import pytest

from state import store
from state.dns.signing import Seen
from state.document import Document
from state.kinds import KINDS
from state.zones.delegations import published_here
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


def test_its_ds_records_are_told_with_the_longest_of_their_times(company: Company, above: Document) -> None:
    record(company, above, "a")
    record(company, above, "a", value=DS.replace("60485", "60486"), ttl=7200)
    record(company, above, "b")
    record(company, above, "a", value=DS.replace("60485", "60487"), is_active=False)
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


def test_the_nearest_one_knows_and_a_deleted_one_does_not(company: Company, above: Document) -> None:
    between = zone(company, "a.firm.example")
    record(company, above, "x.a")
    assert seen(company, "x.a.firm.example") == Seen()
    company.remove(between)
    found = seen(company, "x.a.firm.example")
    assert found
    assert found.published == (DS.upper(),)
