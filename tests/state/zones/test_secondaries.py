"""Copies of zones on secondaries: made, kept and ended with their zones, whoever writes those."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from state import reading, store
from state.compiling import Facts
from state.dns.transfer import CHECKSUM
from state.document import Condition, Document
from state.errors import NotFound
from state.filters import listing
from state.journal.tables import events
from state.keeping import reveal
from state.kinds import KINDS
from state.list_query import read
from state.resource import Secret, sha256
from state.shown import list_shown, show
from state.statuses import load_statuses, save_statuses, settle
from state.tables import documents
from state.targets import Target, get_target
from state.tombstones import forget
from state.zones.copies import copies, copy_of
from state.zones.secondaries import NameServer, address_of, assign
from state.zones.transfer_keys import give_keys, lacks_key, renew_keys, with_passing_key
from tests.state.conftest import Company

ROLES = {"web1": NameServer(("web2",))}
SPEC: dict[str, Any] = {"primary_ns": "ns1.example.net", "template": "none"}


def _assign(company: Company, **servers: NameServer) -> frozenset[str]:
    with company.database.writing() as connection:
        return assign(connection, servers)


def _zone(company: Company, name: str = "example.com", **values: Any) -> Document:
    with company.database.writing() as connection:
        given = {**SPEC, **values}
        return store.create(connection, KINDS["DnsZone"], name, "anna", given, actor="test")


def _copies(company: Company, *names: str) -> list[Document]:
    with company.database.reading() as connection:
        return copies(connection, names or ["example.com"])


def _anna(company: Company) -> Document:
    with company.database.writing() as connection:
        spec = {"email": "anna@example.com"}
        return store.create(connection, KINDS["User"], "anna", "", spec, actor="test", target="web1")


def _pending(company: Company) -> set[str]:
    with company.database.reading() as connection:
        return {d.name for d in (*reading.pending(connection, "web1"), *reading.pending(connection, "web2"))}


def _settled(company: Company) -> None:
    with company.database.writing() as connection:
        settle(connection, (*reading.pending(connection, "web1"), *reading.pending(connection, "web2")))


def _ended(company: Company, zone: Document) -> None:
    """The zone's deletion has become true on its own host."""
    with company.database.writing() as connection:
        forget(connection, [zone.uid])


def test_a_new_zone_has_a_copy_on_each_secondary_of_its_host_and_no_other(company: Company) -> None:
    _anna(company)
    assert _assign(company, **ROLES) == {"web1"}
    zone = _zone(company)
    (copy,) = _copies(company)
    assert (copy.target, copy.owner, copy.name) == ("web2", "anna", "example.com@web2")
    assert copy == replace(copy_of(zone, "web2"), created_at=copy.created_at, updated_at=copy.updated_at)
    assert _pending(company) >= {"example.com", "example.com@web2"}
    _zone(company, "elsewhere.com", dns_provider="cloudflare")
    assert _copies(company, "elsewhere.com") == []


def test_zones_that_are_there_follow_what_the_inventory_says(company: Company) -> None:
    _anna(company)
    zone = _zone(company)
    assert _copies(company) == []
    _settled(company)
    _assign(company, **ROLES)
    assert [copy.target for copy in _copies(company)] == ["web2"]
    assert _pending(company) == {"example.com", "example.com@web2"}
    _settled(company)
    assert _assign(company, **ROLES) == frozenset()
    assert _pending(company) == set()
    _assign(company, web1=NameServer(("web2",)), web2=NameServer(address="192.0.2.77"))
    assert _pending(company) == {"example.com", "example.com@web2"}
    _assign(company)
    assert _copies(company) == []
    with company.database.reading() as connection:
        left = reading.get(connection, copy_of(zone, "web2").uid)
        assert (left.deleted, left.confirmed) == (True, True)
        assert get_target(connection, "web1").secondaries == ()


def test_a_zone_that_is_no_longer_served_has_no_copy_and_has_the_same_one_again(company: Company) -> None:
    _anna(company)
    _assign(company, **ROLES)
    zone = _zone(company)
    (before,) = _copies(company)
    zone = company.change(zone, is_active=False)
    assert _copies(company) == []
    company.change(zone, is_active=True)
    (again,) = _copies(company)
    assert again.uid == before.uid
    assert again.wanted > before.wanted
    assert again.name in _pending(company)


def test_a_deleted_zone_is_served_by_secondaries_until_it_is_gone_from_its_host(company: Company) -> None:
    _anna(company)
    _assign(company, **ROLES)
    zone = _zone(company)
    _settled(company)
    company.remove(zone)
    (copy,) = _copies(company)
    assert "example.com@web2" in _pending(company)
    _ended(company, zone)
    assert _copies(company) == []
    with company.database.reading() as connection:
        assert reading.get(connection, copy.uid).deleted


def test_a_new_zone_of_the_name_takes_over_before_the_old_one_is_gone(company: Company) -> None:
    _anna(company)
    _assign(company, **ROLES)
    old = _zone(company)
    company.remove(old)
    new = _zone(company)
    assert [copy.uid for copy in _copies(company)] == [copy_of(new, "web2").uid]
    _ended(company, old)
    assert [copy.uid for copy in _copies(company)] == [copy_of(new, "web2").uid]


def test_a_user_is_deleted_with_zones_and_their_copies_later(company: Company) -> None:
    anna = _anna(company)
    _assign(company, **ROLES)
    zone = _zone(company)
    company.remove(anna)
    assert len(_copies(company)) == 1
    _ended(company, zone)
    assert _copies(company) == []


def test_nobody_is_told_of_copies_and_none_has_a_revision(company: Company) -> None:
    _anna(company)
    _assign(company, **ROLES)
    company.remove(_zone(company))
    with company.database.reading() as connection:
        told = connection.execute(select(events.c.event)).scalars().all()
        assert {name for name in told if "dns" in name} == {"dns.zone.created", "dns.zone.deleted"}


def test_a_key_is_sealed_with_its_zone_and_is_another_one_each_time(company: Company, tmp_path: Path) -> None:
    _anna(company)
    zone = _zone(company)
    assert lacks_key(zone)
    seen = set()
    for _ in range(2):
        with company.database.writing() as connection:
            known = give_keys(connection, tmp_path, [zone])[zone.uid]
        assert not lacks_key(known)
        assert known.generation == zone.generation
        text = reveal(tmp_path, Secret(str(known.sealed), "transfer"))
        assert text is not None
        assert known.kept[CHECKSUM] == sha256(text)
        with company.database.reading() as connection:
            row = connection.execute(select(documents).where(documents.c.uid == zone.uid)).one()
        assert text.split('secret "')[1][:40] not in str(row)
        seen.add(text)
    assert len(seen) == 2


def test_a_zone_whose_secrets_cannot_be_read_gets_no_key_and_the_others_do(
    company: Company, tmp_path: Path
) -> None:
    _anna(company)
    zones = [_zone(company, f"{name}.com") for name in ("bad-one", "good-one")]
    with company.database.writing() as connection:
        row = documents.c.uid == zones[0].uid
        connection.execute(update(documents).where(row).values(sealed="sealed with a key that is lost"))
        assert give_keys(connection, tmp_path, zones).keys() == {zones[1].uid}


def test_keys_are_renewed_where_there_are_some_and_both_sides_are_looked_at(
    company: Company, tmp_path: Path
) -> None:
    _anna(company)
    _assign(company, **ROLES)
    zones = [_zone(company, f"{name}.com") for name in ("one", "two", "bare")]
    with company.database.writing() as connection:
        before = give_keys(connection, tmp_path, zones[:2])
    _settled(company)
    with company.database.writing() as connection:
        assert renew_keys(connection, tmp_path, ["one.com"]) == 1
    assert _pending(company) == {"one.com", "one.com@web2"}
    with company.database.writing() as connection:
        assert renew_keys(connection, tmp_path) == 2
        after = {zone.uid: reading.get(connection, zone.uid) for zone in zones[:2]}
        assert all(after[uid].kept[CHECKSUM] != before[uid].kept[CHECKSUM] for uid in after)
        with pytest.raises(NotFound, match="no zone that secondaries have"):
            renew_keys(connection, tmp_path, ["bare.com", "one.com"])


def test_a_passing_key_is_stored_nowhere(company: Company, tmp_path: Path) -> None:
    _anna(company)
    zone = _zone(company)
    keyed = with_passing_key(zone, tmp_path)
    text = reveal(tmp_path, Secret(str(keyed.sealed), "transfer"))
    assert text is not None
    assert keyed.kept == {"serial": 0, CHECKSUM: sha256(text)}
    with company.database.reading() as connection:
        assert reading.get(connection, zone.uid).sealed is None


@pytest.mark.parametrize(
    ("target", "address"),
    [
        (Target("a", "192.0.2.1"), "192.0.2.1"),
        (Target("a", "192.0.2.1", dns_address="2001:db8::1"), "2001:db8::1"),
        (Target("a", "a.example.net", Facts(ipv4=("192.0.2.9",))), "192.0.2.9"),
        (Target("a", "a.example.net", Facts(ipv6=("2001:db8::9",))), "2001:db8::9"),
        (Target("a", "a.example.net"), ""),
    ],
)
def test_a_host_is_found_where_the_inventory_says_or_else_where_it_is(target: Target, address: str) -> None:
    assert address_of(target) == address


def _said(company: Company, zone: Document) -> dict[str, Any]:
    with company.database.reading() as connection:
        one = show(connection, zone.uid)
        wanted = read(listing(KINDS["DnsZone"]), [])
        shown, _ = list_shown(connection, KINDS["DnsZone"], wanted, documents.c.uid.is_not(None))
    assert one is not None
    assert [each.conditions for each in shown] == [one.conditions]
    return next((dict(each) for each in one.conditions if each["type"] == "Copied"), {})


def test_a_zone_says_which_secondary_is_behind(company: Company) -> None:
    _anna(company)
    _assign(company, **ROLES)
    zone = _zone(company)
    assert _said(company, zone) == {}
    (copy,) = _copies(company)
    for status, reason, message in (
        (False, "ApplyFailed", "serial 1 is served here, and 2 at 192.0.2.1"),
        (True, "Converged", "everything is as wanted"),
    ):
        with company.database.writing() as connection:
            known = load_statuses(connection, [copy])[copy.uid]
            at = copy.created_at
            assert at is not None
            save_statuses(connection, [known.having(Condition("Ready", status, reason, message, 1, at))])
        said = _said(company, zone)
        assert said["status"] is status
        assert said["reason"] == ("Current" if status else reason)
        behind = f"web2 is not as current as the zone ({reason})"
        assert said["message"] == ("it is served by web2 too" if status else behind)
