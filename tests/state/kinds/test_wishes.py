"""What a site says of wishes about HTTPS that have no effect as they stand."""

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


def test_who_wants_no_https_is_told_nothing_of_it() -> None:
    assert _compiled(site()).notes == ()


def test_what_has_no_effect_is_told_beside_what_is_missing() -> None:
    (note,) = _compiled(site(ssl_enabled=True, letsencrypt_wildcard=True)).notes
    assert note.code == "NoCertificate"
    assert note.message.endswith("; letsencrypt_wildcard has no effect without letsencrypt_enabled")
    (note,) = _compiled(site(letsencrypt_enabled=True)).notes
    assert note.message.endswith("and not over HTTPS (see ssl_enabled)")
