"""A certificate that was asked for before its site is there is asked for again as soon as it is."""

from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from sqlalchemy import select

from reconciler.certificates.unserved import NOT_SERVED, forgotten, served_by
from reconciler.certificates.wanting import wake_unserved
from state.document import Document
from state.journal.tables import events
from state.reading import get
from state.tables import documents
from tests.reconciler.certificates.office import Office
from tests.state.companies import buried, document, site, user

AGES = "2999-01-01T00:00:00Z"


def _failure(code: str = NOT_SERVED) -> dict[str, Any]:
    return {"code": code, "message": "no", "tries": 3, "at": AGES, "retry_at": AGES}


def _waiting(**kept: Any) -> Document:
    return replace(document("Certificate", "example.com", "anna"), kept=kept)


def test_names_are_served_by_sites_that_are_there_and_switched_on() -> None:
    sites = [
        site("a.example", "anna", aliases=["www.a.example"]),
        site("b.example", "anna"),
        site("c.example", "bert", is_active=False),
        buried(site("d.example", "carl")),
        user(),
    ]
    assert served_by(sites) == {"anna": {"a.example", "www.a.example", "b.example"}}


@pytest.mark.parametrize(
    ("kept", "new"),
    [
        ({}, {}),
        ({"trouble": _failure()}, {"trouble": None}),
        ({"trouble": _failure("NameFailed")}, {}),
        ({"left_out": {"www.example.com": _failure()}}, {"left_out": None}),
        ({"left_out": {"www.example.com": _failure("NameFailed")}}, {}),
        ({"left_out": {"www.example.com": {"message": "no", "tries": 1, "retry_at": AGES}}}, {}),
        ({"left_out": {"any.below.example.com": _failure()}}, {"left_out": None}),
        (
            {"left_out": {"www.example.com": _failure(), "else.example.com": _failure()}},
            {"left_out": {"else.example.com": _failure()}},
        ),
    ],
)
def test_only_that_a_name_had_no_site_is_forgotten(kept: dict[str, Any], new: dict[str, Any]) -> None:
    names = ["example.com", "www.example.com", "*.below.example.com"]
    assert forgotten(_waiting(**kept), names) == new
    assert forgotten(_waiting(**kept), ["another.example.com"]) == {}


def _settled(office: Office, one: Document) -> None:
    """As after a pass over the certificate."""
    office.looked_at()
    assert not _pending(office, one)


def _pending(office: Office, one: Document) -> bool:
    with office.database.reading() as connection:
        query = documents.select().where(documents.c.uid == one.uid)
        return bool(connection.execute(query).one().pending)


def _live(office: Office, made: Document) -> bool:
    """A pass has made a site live; whether it calls for certificates."""
    with office.database.writing() as connection:
        return wake_unserved(connection, made.target, [get(connection, made.uid)])


def test_a_site_that_is_live_has_the_certificates_of_its_owner_asked_for_that_wait_for_it(
    office: Office,
) -> None:
    one = office.company.certificate("a.example", "anna", acme_provider="pebble")
    job = office.ask(one)
    assert (job.status, office.kept(one)["trouble"]["code"]) == ("failed", NOT_SERVED)
    assert "make one" in office.kept(one)["trouble"]["message"]
    _settled(office, one)
    assert not _live(office, office.company.site("b.example", "anna"))
    assert not _pending(office, one)
    made = office.company.site("c.example", "anna", aliases=["a.example"])
    _settled(office, one)
    assert _live(office, made)
    assert _pending(office, one)
    assert "trouble" not in office.kept(one)
    office.looked_at()
    assert office.ask(one).status == "completed"
    assert not _live(office, made)


def test_a_name_that_was_left_out_for_want_of_a_site_is_asked_for_when_it_has_one(office: Office) -> None:
    one = office.site("a.example", "anna")
    one = office.company.change(one, san_domains=["b.example", "c.example"])
    office.looked_at()
    assert office.ask(one).status == "completed"
    assert set(office.kept(one)["left_out"]) == {"b.example", "c.example"}
    with office.database.reading() as connection:
        told = select(events.c.data).where(events.c.event == "ssl.certificate.failed")
        assert [each["reason"] for each in connection.execute(told).scalars()] == ["NamesLeftOut"]
    made = office.company.site("b.example", "anna")
    _settled(office, one)
    assert _live(office, made)
    assert set(office.kept(one)["left_out"]) == {"c.example"}
    assert office.ask(one).status == "completed"
    assert office.kept(one)["names"] == ["a.example", "b.example"]


def test_a_site_that_is_made_while_the_authority_is_asked_is_not_missed(office: Office) -> None:
    one = office.site("a.example", "anna")
    one = office.company.change(one, san_domains=["b.example"])
    office.looked_at()

    def meanwhile(handler: BaseHTTPRequestHandler) -> bool:
        if handler.path.startswith("/order-plz") and office.asked["order-plz"] == 1:
            office.company.site("b.example", "anna")
            office.looked_at()
        return False

    office.fault = meanwhile
    assert office.ask(one).status == "completed"
    assert "left_out" not in office.kept(one)
    office.looked_at()
    assert office.ask(one).status == "completed"
    assert office.kept(one)["names"] == ["a.example", "b.example"]
