"""External DNS providers: who has zones where, and that what is told of them in confidence is sealed."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from state import reading, store, vault
from state.database import Database
from state.document import Document, Ref
from state.errors import Conflict, Invalid, NotFound, Unreadable
from state.keys import keyring, retire, rotate
from state.kinds import KINDS
from state.statuses import settle
from state.targets import choose_target, get_target, hosts_facts, list_hosts
from state.zones.provider_tables import dns_providers
from state.zones.providers import list_providers, name_of, options_of, set_up, take_down
from tests.state.conftest import Company, at_once

PACKAGE = "octodns_powerdns.PowerDnsProvider"
OPTIONS = {"host": "192.0.2.53", "api_key": "canary-5e2f", "port": 8081}
THERE = "provider:there"


def _zone(company: Company, name: str, target: str | None = None, **values: Any) -> Document:
    values = {"dns_provider": "there", **values}
    with company.database.writing() as connection:
        return store.create(connection, KINDS["DnsZone"], name, "anna", values, actor="test", target=target)


def _record(company: Company, zone: Document) -> Document:
    values = {"record_type": "A", "value": "192.0.2.1"}
    with company.database.writing() as connection:
        return store.create(connection, KINDS["DnsRecord"], "", "anna", values, actor="test", whole=zone)


def _set_up(database: Database, var: Path, **options: Any) -> int:
    with database.writing() as connection:
        return set_up(connection, var, "there", PACKAGE, {**OPTIONS, **options})


def _now(company: Company, document: Document) -> Document:
    with company.database.reading() as connection:
        return reading.get(connection, document.uid)


def test_a_zone_is_where_its_provider_is(company: Company, tmp_path: Path) -> None:
    company.user("anna")
    _set_up(company.database, tmp_path)
    zone = _zone(company, "example.com")
    assert (zone.target, _record(company, zone).target) == (THERE, THERE)
    assert _zone(company, "example.net", THERE).target == THERE
    with pytest.raises(Invalid, match="leave it out"):
        _zone(company, "example.org", "web1")
    assert _zone(company, "example.org", dns_provider="local").target.startswith("web")


def test_what_waited_for_a_provider_goes_there_when_it_comes(company: Company, tmp_path: Path) -> None:
    home = company.user("anna").target
    zone, other = _zone(company, "example.com"), _zone(company, "example.net", dns_provider="elsewhere")
    record = _record(company, zone)
    with company.database.writing() as connection:
        settle(connection, [zone, record])
    assert (zone.target, record.target) == (home, home)
    assert _set_up(company.database, tmp_path) == 1
    assert (_now(company, zone).target, _now(company, record).target) == (THERE, THERE)
    assert _now(company, other).target == home
    with company.database.reading() as connection:
        pending = {d.uid for d in reading.pending(connection, THERE)}
    assert pending == {zone.uid, record.uid}
    assert _set_up(company.database, tmp_path) == 0


def test_a_provider_carries_zones_of_who_has_no_host(company: Company, tmp_path: Path) -> None:
    with company.database.writing() as connection:
        spec = {"email": "anna@example.com", "role": "reseller"}
        store.create(connection, KINDS["User"], "anna", "", spec, actor="test")
    _set_up(company.database, tmp_path)
    assert _zone(company, "example.com").target == THERE


def test_which_provider_a_zone_has_cannot_be_changed(company: Company, tmp_path: Path) -> None:
    company.user("anna")
    _set_up(company.database, tmp_path)
    zone = _zone(company, "example.com")
    with pytest.raises(Invalid, match="cannot be changed"):
        company.change(zone, dns_provider="local")


def test_one_with_zones_is_not_forgotten(company: Company, tmp_path: Path) -> None:
    company.user("anna")
    _set_up(company.database, tmp_path)
    zone = _zone(company, "example.com")
    with pytest.raises(Conflict, match="1 zones"), company.database.writing() as connection:
        take_down(connection, "there")
    company.remove(zone)
    with pytest.raises(Conflict), company.database.writing() as connection:
        take_down(connection, "there")


def test_one_without_zones_is_forgotten_with_its_options(database: Database, tmp_path: Path) -> None:
    _set_up(database, tmp_path)
    with database.writing() as connection:
        assert [(each.name, each.package) for each in list_providers(connection)] == [("there", PACKAGE)]
        take_down(connection, "there")
        assert list_providers(connection) == []
        with pytest.raises(NotFound):
            take_down(connection, "there")
        with pytest.raises(NotFound):
            options_of(connection, tmp_path, "there")
        with pytest.raises(NotFound):
            get_target(connection, THERE)


def test_options_are_sealed_and_follow_the_key(database: Database, tmp_path: Path) -> None:
    _set_up(database, tmp_path)
    with database.writing() as connection:
        sealed = connection.execute(select(dns_providers.c.options)).scalar_one()
        assert "canary" not in sealed
        rotate(tmp_path, "vault")
        assert vault.reseal(connection, tmp_path) == 1
        retire(tmp_path, "vault")
        assert options_of(connection, tmp_path, "there") == {"class": PACKAGE, **OPTIONS}
    (tmp_path / "keys" / "vault").unlink()
    keyring(tmp_path, "vault")
    with database.reading() as connection, pytest.raises(Unreadable):
        options_of(connection, tmp_path, "there")


def test_a_provider_is_no_host(company: Company, tmp_path: Path) -> None:
    _set_up(company.database, tmp_path)
    with company.database.writing() as connection:
        list_hosts(connection, {"web1": "192.0.2.1"})
        assert get_target(connection, THERE).listed
        assert not get_target(connection, "web2").listed
        assert hosts_facts(connection).keys() == {"web1", "web2"}
        assert choose_target(connection, None) == "web1"
        for wished in (THERE, "nowhere"):
            with pytest.raises(NotFound):
                choose_target(connection, wished)
    assert (name_of(THERE), name_of("web1")) == ("there", "")


def test_two_that_set_one_up_and_add_a_zone_at_once_leave_none_behind(
    company: Company, tmp_path: Path
) -> None:
    company.user("anna", dns_domains_limit=0)
    at_once(
        lambda: _set_up(company.database, tmp_path),
        *(lambda n=n: _zone(company, f"z{n}.example.com") for n in range(6)),
    )
    with company.database.reading() as connection:
        zones = [reading.find(connection, Ref("DnsZone", f"z{n}.example.com")) for n in range(6)]
    assert {zone.target for zone in zones if zone} == {THERE}
