"""Parts of documents in the database: in one transaction with their whole, and never without it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from state import reading, store
from state.document import Condition, Document, Ref, Status
from state.errors import Conflict, Forbidden, Invalid
from state.kinds import KINDS
from state.statuses import save_statuses, target_statuses
from state.tables import documents
from tests.state.conftest import Company

ZONE, RECORD = KINDS["DnsZone"], KINDS["DnsRecord"]
A = {"name": "www", "record_type": "A", "value": "192.0.2.1"}


@pytest.fixture
def connection(company: Company) -> Iterator[Connection]:
    with company.database.writing() as connection:
        for name in ("anna", "bert"):
            company.user_in(connection, name)
        yield connection


@pytest.fixture
def zone(connection: Connection) -> Document:
    return store.create(connection, ZONE, "example.com", "anna", {}, actor="t")


def user(connection: Connection, name: str) -> Document:
    found = reading.find(connection, Ref("User", name))
    assert found is not None
    return found


def record(connection: Connection, zone: Document, **values: Any) -> Document:
    """A new record; of one that is refused nothing is left."""
    with connection.begin_nested():
        return store.create(connection, RECORD, "", zone.owner, {**A, **values}, actor="t", whole=zone)


def settle(connection: Connection) -> None:
    connection.execute(update(documents).values(pending=False))


def is_pending(connection: Connection, document: Document) -> bool:
    found = select(documents.c.pending).where(documents.c.uid == document.uid)
    return bool(connection.execute(found).scalar_one())


def faults(error: pytest.ExceptionInfo[Invalid]) -> list[str]:
    return [fault.field for fault in error.value.faults]


def test_it_is_named_after_what_it_says_and_keeps_its_name(connection: Connection, zone: Document) -> None:
    one = record(connection, zone)
    assert one.name.startswith("www-a-")
    assert one.name.endswith(".example.com")
    assert (one.whole, one.owner, one.target) == (zone.uid, "anna", zone.target)
    changed = store.change(connection, one, {"value": "192.0.2.2"}, actor="t")
    assert (changed.uid, changed.name) == (one.uid, one.name)
    again = record(connection, zone)
    assert again.name == one.name.replace(".", "-2.", 1)


def test_every_write_of_it_makes_its_whole_pending(connection: Connection, zone: Document) -> None:
    settle(connection)
    one = record(connection, zone)
    assert is_pending(connection, zone)
    settle(connection)
    store.change(connection, one, {"ttl": 60}, actor="t")
    assert is_pending(connection, zone)
    settle(connection)
    store.remove(connection, one, actor="t")
    assert is_pending(connection, zone)


def test_it_goes_with_its_whole(connection: Connection, zone: Document) -> None:
    one = record(connection, zone)
    assert [each.uid for each in reading.parts_of(connection, [zone.uid])] == [one.uid]
    store.remove(connection, zone, actor="t")
    assert reading.get(connection, one.uid).deleted
    assert reading.parts_of(connection, [zone.uid]) == []


def test_it_goes_with_its_owner(connection: Connection, zone: Document) -> None:
    one = record(connection, zone)
    store.remove(connection, user(connection, "anna"), actor="t")
    assert all(reading.get(connection, uid).deleted for uid in (one.uid, zone.uid))


def test_it_is_in_no_whole_that_is_not_there_or_somebody_elses(
    connection: Connection, zone: Document
) -> None:
    for name, owner in (("www.example.net", "anna"), ("www.example.com", "bert")):
        with pytest.raises(Invalid) as error:
            store.create(connection, RECORD, name, owner, A, actor="t")
        assert faults(error) == ["document"]


def test_what_a_source_lost_and_has_again_is_the_same(connection: Connection, zone: Document) -> None:
    one = record(connection, zone)
    store.remove(connection, zone, actor="t", confirmed=False)
    back = store.create(connection, ZONE, "example.com", "anna", {}, actor="t")
    again = store.create(connection, RECORD, one.name, "anna", A, actor="t")
    assert (back.uid, again.uid, again.whole) == (zone.uid, one.uid, zone.uid)


def test_a_cname_stands_alone(connection: Connection, zone: Document) -> None:
    address = record(connection, zone)
    with pytest.raises(Invalid) as error:
        record(connection, zone, record_type="CNAME", value="a.example.net.")
    assert faults(error) == ["record_type"]
    asleep = record(connection, zone, record_type="CNAME", value="a.example.net.", is_active=False)
    with pytest.raises(Invalid), connection.begin_nested():
        store.change(connection, asleep, {"is_active": True}, actor="t")
    store.remove(connection, address, actor="t")
    store.change(connection, asleep, {"is_active": True}, actor="t")
    with pytest.raises(Invalid):
        record(connection, zone)


def test_nothing_is_there_twice_however_it_is_written(connection: Connection, zone: Document) -> None:
    record(connection, zone, record_type="AAAA", value="2001:db8::1")
    with pytest.raises(Invalid) as error:
        record(connection, zone, record_type="AAAA", value="2001:DB8:0::1")
    assert faults(error) == ["value"]
    record(connection, zone, name="mail", record_type="AAAA", value="2001:DB8:0::1")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"value": "192.0.2.999"}, "value"),
        ({"name": "a..b"}, "name"),
        ({"name": "www.example.net."}, "name"),
        ({"record_type": "MX", "value": "mail"}, "priority"),
        ({"record_type": "SRV", "value": "0 443 www"}, "priority"),
        ({"record_type": "SPF"}, "record_type"),
        ({"priority": 5}, "value"),
        ({"name": "@", "record_type": "CNAME", "value": "a."}, "record_type"),
        ({"name": "*", "record_type": "NS", "value": "a."}, "record_type"),
        ({"ttl": -1}, "ttl"),
    ],
)
def test_what_is_wrong_is_told_with_its_field(
    connection: Connection, zone: Document, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as error:
        record(connection, zone, **values)
    assert faults(error) == [field]


def test_names_are_kept_in_one_form(connection: Connection, zone: Document) -> None:
    one = record(connection, zone, name="Bücher.example.com.", record_type="a")
    assert (one.spec.name, one.spec.record_type) == ("xn--bcher-kva", "A")  # type: ignore[attr-defined]
    null = record(connection, zone, name="null", record_type="MX", value=".", priority=0)
    assert null.spec.priority == 0  # type: ignore[attr-defined]


def test_a_zone_and_a_site_of_one_tenant_have_one_name(connection: Connection, zone: Document) -> None:
    site = {"backend_template": None}
    store.create(connection, KINDS["WebDomain"], "example.com", "anna", site, actor="t")
    for kind, name in (
        ("WebDomain", "shop.example.com"),
        ("DnsZone", "example.com"),
        ("DnsZone", "a.example.com"),
    ):
        with pytest.raises(Conflict), connection.begin_nested():
            store.create(connection, KINDS[kind], name, "bert", {}, actor="t")
    store.create(connection, ZONE, "sub.example.com", "anna", {}, actor="t")


def test_zones_are_counted_and_records_are_not(connection: Connection, zone: Document) -> None:
    store.change(connection, user(connection, "anna"), {"dns_domains_limit": 1}, actor="t")
    record(connection, zone)
    with pytest.raises(Forbidden, match="dns_domains_limit"):
        store.create(connection, ZONE, "example.org", "anna", {}, actor="t")


def test_of_parts_only_those_that_are_not_ready_are_told_of_with_their_target(
    connection: Connection, zone: Document
) -> None:
    fine, bad = record(connection, zone), record(connection, zone, name="mail")
    at = datetime.now(UTC)
    ready = Condition("Ready", True, "Applied", "", 1, at)
    kept_from = replace(ready, status=False, reason="Invalid")
    told = [Status(zone.uid, 1, (ready,)), Status(fine.uid, 1, (ready,)), Status(bad.uid, 1, (kept_from,))]
    save_statuses(connection, told)
    assert target_statuses(connection, zone.target) == {zone.uid: told[0], bad.uid: told[2]}
