"""A site's certificate: made with it, changed with it, deleted with it; and somebody's own is left alone."""

from typing import Any

from sqlalchemy import select

from state import store
from state.certificates.companions import coming_with
from state.document import Document, Ref
from state.kinds import KINDS
from state.reading import find, get
from state.tables import documents
from state.validation import dump
from tests.state.conftest import Company


def _certificate(company: Company, name: str = "example.com") -> Document | None:
    with company.database.reading() as connection:
        return find(connection, Ref("Certificate", name))


def _spec(company: Company) -> dict[str, Any]:
    found = _certificate(company)
    assert found is not None
    return dump(found.spec)


def test_it_is_made_with_the_site_for_all_of_its_names(company: Company) -> None:
    company.user("anna")
    site = company.site(
        "example.com", "anna", letsencrypt_enabled=True, aliases=["www.example.com", "*.example.com"]
    )
    found = _certificate(company)
    assert found is not None
    assert (found.owner, found.kept) == ("anna", {"of": site.uid})
    assert _spec(company) == {
        "san_domains": ["example.com", "www.example.com"],
        "acme_provider": "letsencrypt",
        "acme_challenge_type": "http01",
        "auto_renew": True,
        "is_active": True,
        "is_wildcard": False,
    }


def test_it_follows_the_site(company: Company) -> None:
    company.user("anna")
    site = company.site("example.com", "anna", letsencrypt_enabled=True)
    site = company.change(site, aliases=["www.example.com"], ssl_enabled=True)
    assert _spec(company)["san_domains"] == ["example.com", "www.example.com"]
    company.change(site, letsencrypt_wildcard=True, is_active=False)
    assert (_spec(company)["is_wildcard"], _spec(company)["acme_challenge_type"]) == (True, "dns01")
    assert _spec(company)["is_active"] is False


def test_it_goes_with_the_site_or_with_the_wish(company: Company) -> None:
    company.user("anna")
    site = company.site("example.com", "anna", letsencrypt_enabled=True)
    site = company.change(site, letsencrypt_enabled=False)
    assert _certificate(company) is None
    company.change(site, letsencrypt_enabled=True)
    assert _certificate(company) is not None
    company.remove(site)
    assert _certificate(company) is None


def test_somebodys_own_is_left_alone(company: Company) -> None:
    company.user("anna")
    with company.database.writing() as connection:
        mine = {"acme_provider": None}
        store.create(connection, KINDS["Certificate"], "example.com", "anna", mine, actor="test")
    site = company.site("example.com", "anna", letsencrypt_enabled=True)
    company.change(site, aliases=["www.example.com"])
    assert _spec(company)["san_domains"] == ["example.com"]
    company.remove(site)
    assert _certificate(company) is not None


def test_a_site_is_looked_at_when_its_certificate_is_another_or_goes(company: Company) -> None:
    company.user("anna")
    site = company.site("example.com", "anna", letsencrypt_enabled=True)
    found = _certificate(company)
    assert found is not None
    for deed in (lambda: company.change(found, auto_renew=False), lambda: company.remove(found)):
        with company.database.writing() as connection:
            connection.execute(documents.update().values(pending=False))
        deed()
        with company.database.reading() as connection:
            pending = select(documents.c.pending).where(documents.c.uid == site.uid)
            assert connection.execute(pending).scalar_one()


def test_when_somebodys_own_goes_the_site_has_one_again_while_it_wants_one(company: Company) -> None:
    company.user("anna")
    own = company.certificate("example.com", "anna", auto_renew=False)
    site = company.site("example.com", "anna", letsencrypt_enabled=True)
    company.remove(own)
    found = _certificate(company)
    assert found is not None
    assert (found.kept, found.uid != own.uid) == ({"of": site.uid}, True)
    company.change(site, letsencrypt_enabled=False)
    other = company.certificate("example.com", "anna")
    company.remove(other)
    assert _certificate(company) is None


def test_all_of_a_user_goes_with_the_user(company: Company) -> None:
    anna = company.user("anna")
    company.site("example.com", "anna", letsencrypt_enabled=True)
    company.remove(anna)
    assert _certificate(company) is None


def test_what_comes_with_documents_is_known_each_once(company: Company) -> None:
    company.user("anna")
    site = company.site("example.com", "anna", letsencrypt_enabled=True)
    plain = company.site("example.net", "anna")
    found = _certificate(company)
    with company.database.reading() as connection:
        assert coming_with(connection, [site, plain]) == [found]
        assert found is not None
        assert coming_with(connection, [site, found]) == []
    company.remove(site)
    with company.database.reading() as connection:
        assert coming_with(connection, [site]) == []
        assert coming_with(connection, [get(connection, site.uid)]) == []
