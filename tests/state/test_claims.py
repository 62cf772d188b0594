"""Who holds a shared name."""

from pathlib import Path

import pytest

from state.claims import of_others
from state.database import Database
from state.errors import Conflict
from state.kinds import KINDS
from state.statuses import load_statuses
from state.store import create
from tests.state.conftest import Company, at_once


def test_of_two_simultaneous_creates_of_one_name_exactly_one_wins(company: Company) -> None:
    for owner in ("anna", "bert", "carl", "dora"):
        company.user(owner)
    results = at_once(
        *(lambda o=owner: company.site("example.com", o) for owner in ("anna", "bert", "carl", "dora"))
    )
    assert sorted(type(each).__name__ for each in results) == ["Conflict", "Conflict", "Conflict", "Document"]


def test_of_two_simultaneous_claims_of_a_name_and_one_below_it_by_two_tenants_one_wins(
    company: Company,
) -> None:
    company.user("anna")
    company.user("bert")
    results = at_once(
        lambda: company.site("example.com", "anna"),
        lambda: company.site("shop.example.com", "bert"),
    )
    assert sorted(type(each).__name__ for each in results) == ["Conflict", "Document"]


def test_a_name_above_another_tenants_name_is_refused_and_above_ones_own_is_not(company: Company) -> None:
    company.user("anna")
    company.user("bert")
    company.site("shop.example.com", "anna")
    with pytest.raises(Conflict) as caught:
        company.site("example.com", "bert")
    assert caught.value.code == "domain_taken"
    company.site("example.com", "anna")


def test_a_site_of_someone_without_a_host_says_so(company: Company) -> None:
    with company.database.writing() as connection:
        values = {"email": "a@example.com", "role": "admin"}
        create(connection, KINDS["User"], "admin", "admin", values, actor="test", reserved=True)
    site = company.site("house.example", "admin")
    with company.database.reading() as connection:
        conditions = load_statuses(connection, [site])[site.uid].conditions
    assert {(c.type, c.status, c.reason) for c in conditions} == {
        ("Ready", False, "OwnerHasNoAccount"),
        ("Blocked", True, "OwnerHasNoAccount"),
    }


def test_the_database_file_is_for_its_owner_only(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    database.migrate()
    with database.writing():
        modes = {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    database.close()
    assert modes == {0o600}


def test_an_alias_of_another_tenant_is_taken(company: Company) -> None:
    company.user("anna")
    company.user("bert")
    company.site("example.com", "anna", aliases=["www.example.net"])
    with pytest.raises(Conflict) as caught:
        company.site("www.example.net", "bert")
    assert caught.value.code == "domain_taken"


def test_a_sub_domain_of_another_tenants_name_is_refused(company: Company) -> None:
    company.user("anna")
    company.user("bert")
    company.site("example.com", "anna")
    with pytest.raises(Conflict):
        company.site("a.b.example.com", "bert")


def test_a_sub_domain_of_ones_own_name_is_allowed(company: Company) -> None:
    company.user("anna")
    company.site("example.com", "anna")
    assert company.site("shop.example.com", "anna").name == "shop.example.com"


def test_a_wildcard_over_another_tenants_name_is_refused(company: Company) -> None:
    company.user("anna")
    company.user("bert")
    company.site("shop.example.com", "anna")
    with pytest.raises(Conflict):
        company.site("example.com", "bert", aliases=["*.example.com"])


def test_a_name_below_another_tenants_wildcard_is_refused(company: Company) -> None:
    company.user("anna")
    company.user("bert")
    company.site("example.net", "anna", aliases=["*.example.com"])
    with pytest.raises(Conflict):
        company.site("shop.example.com", "bert")


def test_the_two_spellings_of_an_international_name_are_one(company: Company) -> None:
    company.user("anna")
    company.user("bert")
    company.site("bücher.example", "anna")
    with pytest.raises(Conflict):
        company.site("XN--BCHER-KVA.example", "bert")


def test_an_alias_that_was_given_up_is_free(company: Company) -> None:
    company.user("anna")
    company.user("bert")
    site = company.site("example.com", "anna", aliases=["example.net"])
    company.change(site, aliases=[])
    assert company.site("example.net", "bert").owner == "bert"


def test_a_deleted_sites_names_are_free_at_once(company: Company) -> None:
    company.user("anna")
    company.user("bert")
    company.remove(company.site("example.com", "anna"))
    assert company.site("example.com", "bert").owner == "bert"


def test_a_refused_write_leaves_nothing_behind(company: Company) -> None:
    company.user("anna")
    company.user("bert")
    company.site("example.com", "anna")
    with pytest.raises(Conflict):
        company.site("example.org", "bert", aliases=["example.com"])
    assert company.site("example.org", "anna").owner == "anna"


def test_a_certificate_keeps_nobody_from_a_name(company: Company) -> None:
    company.user("anna")
    company.user("bert")
    for name in ("example.com", "deep.shop.example.com", "example.net", "shop.example.org", "b.example.org"):
        company.certificate(name, "anna")
    company.site("shop.example.com", "bert", letsencrypt_enabled=True, aliases=["example.net"])
    company.zone("a.shop.example.org", "bert")
    left = {(each.name, each.owner) for each in company.certificates()}
    assert left == {("b.example.org", "anna"), ("shop.example.com", "bert")}


def test_a_certificate_is_for_no_name_of_another_tenant_and_goes_when_it_becomes_one(
    company: Company,
) -> None:
    company.user("anna")
    company.user("bert")
    site = company.site("example.com", "bert")
    for name in ("example.com", "shop.example.com"):
        with pytest.raises(Conflict) as caught:
            company.certificate(name, "anna")
        assert caught.value.code == "domain_taken"
    company.certificate("www.example.com", "bert")
    company.certificate("example.net", "anna")
    company.change(site, aliases=["example.net"])
    assert [each.owner for each in company.certificates()] == ["bert"]


def test_names_that_are_somebody_elses_are_found(company: Company) -> None:
    company.user("anna")
    company.user("bert")
    company.site("a.bert.example", "bert")
    company.site("anna.example", "anna", aliases=["*.b.anna.example"])
    names = [
        "bert.example",
        "a.bert.example",
        "x.a.bert.example",
        "b.bert.example",
        "c.b.anna.example",
        "free.example",
    ]
    with company.database.reading() as connection:
        assert of_others(connection, "anna", names) == ("bert.example", "a.bert.example", "x.a.bert.example")
        assert of_others(connection, "bert", names) == ("c.b.anna.example",)


def test_ones_own_certificates_stay(company: Company) -> None:
    company.user("anna")
    company.certificate("www.example.com", "anna")
    company.site("example.com", "anna")
    company.zone("example.com", "anna")
    assert [each.name for each in company.certificates()] == ["www.example.com"]


def test_a_name_that_one_document_of_a_kind_has_is_taken_for_another(company: Company) -> None:
    company.user("anna")
    company.user("bert")
    company.certificate("example.com", "anna")
    with pytest.raises(Conflict):
        company.certificate("example.com", "bert")
