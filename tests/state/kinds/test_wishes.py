"""What a site says of wishes about HTTPS that have no effect as they stand."""

from dataclasses import replace
from typing import Any

import pytest

from state.compiling import Compiled, Context
from state.document import Document
from state.kinds.web_domain import WEB_DOMAIN
from tests.state.companies import FACTS, company, document, site, templates, user, with_material


def _compiled(one: Document, *others: Document) -> Compiled:
    related = company(user(), *others).related
    return WEB_DOMAIN.compile(Context(one, FACTS, templates(), related.get))


@pytest.mark.parametrize(
    ("values", "code", "words"),
    [
        ({"letsencrypt_enabled": True}, "HttpsOff", "there is a certificate, but HTTPS is not switched on"),
        ({"letsencrypt_enabled": True, "ssl_hsts": True}, "HttpsOff", "; ssl_hsts has no effect"),
        (
            {"ssl_force": True, "ssl_hsts": True},
            "NoEffect",
            "ssl_force has no effect without ssl_enabled; ssl_",
        ),
        ({"letsencrypt_wildcard": True}, "NoEffect", "no effect without letsencrypt_enabled"),
    ],
)
def test_a_wish_that_has_no_effect_is_told_of(values: dict[str, Any], code: str, words: str) -> None:
    certificate = with_material(document("Certificate", "example.com", "anna"))
    compiled = _compiled(site(**values), certificate)
    (note,) = compiled.notes
    assert note.code == code
    assert words in note.message
    assert not compiled.blocked


OWN = "letsencrypt_enabled has no effect while the certificate example.com is one's own: set acme_provider there"


@pytest.mark.parametrize("secure", [True, False])
def test_that_an_own_certificate_stands_in_the_way_of_one_from_an_authority_is_told(secure: bool) -> None:
    own = document("Certificate", "example.com", "anna", acme_provider=None)
    one = site(letsencrypt_enabled=True, ssl_enabled=True)
    compiled = _compiled(one, with_material(own) if secure else own)
    (note,) = compiled.notes
    assert note.code == ("NoEffect" if secure else "NoCertificate")
    assert note.message.endswith(f"{OWN}, or delete it")
    assert (compiled.secured is not None) == secure
    assert compiled.secured is None or compiled.secured.message.endswith(f"{OWN}, or delete it")


def test_an_own_certificate_that_comes_with_the_site_and_cannot_be_deleted_is_to_have_an_authority() -> None:
    own = with_material(document("Certificate", "example.com", "anna", acme_provider=None))
    own = replace(own, kept={**own.kept, "of": "WebDomain/example.com"})
    (note,) = _compiled(site(letsencrypt_enabled=True, ssl_enabled=True), own).notes
    assert note.message == OWN


def test_an_own_certificate_is_no_matter_where_none_is_wanted_from_an_authority() -> None:
    own = with_material(document("Certificate", "example.com", "anna", acme_provider=None))
    assert _compiled(site(ssl_enabled=True), own).notes == ()
    had = with_material(document("Certificate", "example.com", "anna"))
    assert _compiled(site(letsencrypt_enabled=True, ssl_enabled=True), had).notes == ()


def test_a_wish_without_effect_is_told_of_a_site_that_is_secured_too() -> None:
    had = with_material(document("Certificate", "example.com", "anna"))
    compiled = _compiled(site(ssl_enabled=True, letsencrypt_wildcard=True), had)
    assert [note.code for note in compiled.notes] == ["NoEffect"]
    assert compiled.secured is not None
    assert "letsencrypt_wildcard has no effect" in compiled.secured.message


def test_who_wants_no_https_is_told_nothing_of_it() -> None:
    assert _compiled(site()).notes == ()


def test_what_has_no_effect_is_told_beside_what_is_missing() -> None:
    (note,) = _compiled(site(ssl_enabled=True, letsencrypt_wildcard=True)).notes
    assert note.code == "NoCertificate"
    assert note.message.endswith("; letsencrypt_wildcard has no effect without letsencrypt_enabled")
    (note,) = _compiled(site(letsencrypt_enabled=True)).notes
    assert note.message.endswith("and not over HTTPS (see ssl_enabled)")
