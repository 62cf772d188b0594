"""Which form of a thing is wanted (RFC 9110, section 12.5.1)."""

import pytest

from api.errors import NotAcceptable
from api.negotiation import negotiate

FORMS = ("application/json", "text/html", "text/markdown", "text/plain")


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/*", "text/html"),
        ("text/markdown", "text/markdown"),
        ("TEXT/Plain", "text/plain"),
        ("text/plain;q=0.5, text/markdown;q=0.9", "text/markdown"),
        ("text/plain; charset=utf-8; q=0.5, text/html;q=0.4", "text/plain"),
        ("*/*;q=0.1, text/plain", "text/plain"),
        ("text/*, text/html;q=0", "text/markdown"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("nonsense, text/plain", "text/plain"),
        ("image/png, */*;q=0.001", "application/json"),
    ],
)
def test_the_form_that_is_liked_best_is_taken(accept: str, form: str) -> None:
    assert negotiate(accept, FORMS) == form


@pytest.mark.parametrize(
    "accept", ["image/png", "text/html;q=0", "*/*;q=0", "nonsense", "text", "application/xml"]
)
def test_where_nothing_fits_it_is_said_what_there_is(accept: str) -> None:
    with pytest.raises(NotAcceptable, match="text/markdown"):
        negotiate(accept, FORMS)
