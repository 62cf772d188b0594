"""Errors of providers' classes in our words: whose trouble it is, and nothing that was told in confidence."""

from typing import Any
from urllib.parse import quote

import pytest

from reconciler.providers.faults import (
    Misled,
    Overtime,
    Refused,
    in_full,
    is_general,
    reason_of,
    scrubbed,
    translated,
)
from state.errors import CredentialsRefused, GhostError, RateLimited, Unknown, Unreachable

CANARY = "canary / 'secret'"
OPTIONS = {
    "class": "octodns_x.Y",
    "host": "dns.example.net",
    "api_key": CANARY,
    "more": {"deep": ["hidden-one", 7]},
}


class Answer:
    def __init__(self, status: int, body: Any) -> None:
        self.status_code, self._body = status, body

    def json(self) -> Any:
        if isinstance(self._body, Exception):
            raise self._body
        return self._body


class HTTPError(OSError):
    def __init__(self, status: int, body: Any = None) -> None:
        super().__init__(f"{status} for url with {CANARY}")
        self.response = Answer(status, {"error": f"no, {CANARY}"} if body is None else body)


class XRateLimitError(Exception):
    pass


class XAuthenticationError(Exception):
    pass


class X5xxError(Exception):
    __module__ = "octodns_x"


class XError(Exception):
    __module__ = "octodns_x"


@pytest.mark.parametrize(
    ("error", "kind", "general", "code"),
    [
        (HTTPError(429), RateLimited, True, "RateLimited"),
        (XRateLimitError("slow down"), RateLimited, True, "RateLimited"),
        (HTTPError(401), CredentialsRefused, False, "CredentialsRefused"),
        (XAuthenticationError("who?"), CredentialsRefused, False, "CredentialsRefused"),
        (Exception("PowerDNS unauthorized host=x"), CredentialsRefused, False, "CredentialsRefused"),
        (HTTPError(422), Refused, False, "ProviderFailed"),
        (XError("not supported"), Refused, False, "ProviderFailed"),
        (X5xxError("http 5xx"), Unknown, False, "ProviderFailed"),
        (HTTPError(500), Unknown, False, "ProviderFailed"),
        (KeyError("records"), Misled, False, "ProviderFailed"),
        (Overtime(), Misled, False, "ProviderFailed"),
        (Exception("something"), Unknown, False, "ProviderFailed"),
        (ConnectionRefusedError("nobody there"), Unreachable, True, "Unreachable"),
        (TimeoutError(), Unreachable, True, "Unreachable"),
    ],
)
def test_each_trouble_is_told_as_what_it_is(
    error: Exception, kind: type[GhostError], general: bool, code: str
) -> None:
    told = translated(error, "there", OPTIONS)
    assert (type(told), is_general(told), reason_of(told).code) == (kind, general, code)
    assert str(told).startswith("DNS provider 'there': ")
    assert "canary" not in str(told)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"error": "bad record"}, "422: bad record"),
        ({"errors": [{"message": "one"}, {"message": "two"}]}, "422: one; two"),
        ({"nothing": 1}, "422 for url with ***"),
        (ValueError("no JSON"), "422 for url with ***"),
    ],
)
def test_what_the_provider_says_of_it_is_told(body: Any, told: str) -> None:
    assert translated(HTTPError(422, body), "there", OPTIONS).message == f"DNS provider 'there': {told}"


def test_where_nobody_answers_tenants_are_told_no_address_and_operators_all_but_secrets() -> None:
    error = ConnectionError(f"HTTPSConnectionPool(host='10.0.0.7'): /zones?key={CANARY}")
    assert (
        translated(error, "there", OPTIONS).message
        == "DNS provider 'there': does not answer (ConnectionError)"
    )
    assert in_full(error, OPTIONS) == "HTTPSConnectionPool(host='10.0.0.7'): /zones?key=***"
    assert in_full(TimeoutError(), {}) == "TimeoutError"


@pytest.mark.parametrize("form", [CANARY, quote(CANARY, safe=""), repr(CANARY), "hidden-one"])
def test_no_secret_is_told_in_any_form(form: str) -> None:
    assert "canary" not in scrubbed(f"before {form} after", OPTIONS)
    assert "hidden" not in scrubbed(f"before {form} after", OPTIONS)


def test_what_is_no_secret_may_be_told() -> None:
    assert scrubbed("dns.example.net answers", OPTIONS) == "dns.example.net answers"
