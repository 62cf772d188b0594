"""A renewal costs no name that the certificate is for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

from reconciler.certificates.losses import TRIES, indispensable
from state.document import Document
from tests.reconciler.certificates.office import Office, problem
from tests.state.companies import document, with_material

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def _there(*names: str, **kept: Any) -> Document:
    wanted = ["www.example.com", "new.example.com"]
    one = with_material(
        document("Certificate", "example.com", "anna", san_domains=wanted), "example.com", *names
    )
    return replace(one, kept={**one.kept, "provider": "letsencrypt", **kept})


def test_what_it_is_for_is_insisted_on_as_long_as_there_is_time() -> None:
    one = _there("www.example.com")
    names = ("example.com", "www.example.com")
    assert indispensable(one, NOW, "ssl_renew") == names
    assert indispensable(one, NOW + 79 * DAY, "ssl_renew") == names
    assert indispensable(one, NOW + 81 * DAY, "ssl_renew") == ()
    assert indispensable(one, NOW + 81 * DAY, "ssl_issue") == names
    assert indispensable(one, NOW + 91 * DAY, "ssl_issue") == ()
    assert indispensable(_there("www.example.com", provider="another"), NOW, "ssl_issue") == names
    assert indispensable(document("Certificate", "example.com", "anna"), NOW, "ssl_issue") == ()


def test_one_for_more_names_is_not_given_up_for_ever() -> None:
    for tries, names in ((TRIES - 1, ("example.com", "www.example.com")), (TRIES, ())):
        one = _there("www.example.com", trouble={"tries": tries})
        assert indispensable(one, NOW, "ssl_issue") == names


def test_a_renewal_without_a_name_that_fails_now_is_not_had(office: Office) -> None:
    def doubts(handler: BaseHTTPRequestHandler) -> bool:
        bad = {"type": "urn:x", "detail": "forbidden", "identifier": {"type": "dns", "value": "b.example"}}
        order = handler.path.startswith("/order-plz") and office.asked["order-plz"] in {2, 3}
        return order and problem(handler, 400, "rejectedIdentifier", subproblems=[bad])

    one = office.site("a.example", "anna", aliases=["b.example"])
    assert office.ask(one).status == "completed"
    had = office.kept(one)["fingerprint"]
    office.looked_at()
    office.remember(one, renew_at="2026-01-01T00:00:00Z", had_at="2026-01-01T00:00:00Z")
    office.fault = doubts
    job = office.ask(one, "ssl_renew")
    trouble = office.kept(one)["trouble"]
    assert (job.status, trouble["code"], trouble["tries"]) == ("failed", "NameFailed", 1)
    assert "b.example: forbidden" in trouble["message"]
    assert office.kept(one)["fingerprint"] == had
    office.looked_at()
    assert office.ask(one, "ssl_renew", asked=True).status == "completed"
    assert office.kept(one)["names"] == ["a.example"]
