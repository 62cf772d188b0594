"""What is wanted may change while an authority is asked; and which names are ordered together."""

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from state.certificates import limits
from state.certificates.jobs import ask_for_one
from state.document import Document
from state.reading import get
from tests.lab.control import until
from tests.reconciler.certificates.office import Office, problem


def _meanwhile(office: Office, path: str, act: Callable[[], object]) -> None:
    """Something happens once, while the authority is asked for this."""
    done: list[str] = []

    def fault(handler: BaseHTTPRequestHandler) -> bool:
        if handler.path.startswith(path) and not done:
            done.append(path)
            act()
        return False

    office.fault = fault


def _zone_answers(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if zones answered at once."""
    monkeypatch.setattr("reconciler.certificates.zone_proof.problem", lambda *_: "")
    monkeypatch.setattr("reconciler.certificates.zone_proof.behind", lambda *_: [])


def test_no_name_is_ordered_beside_a_wildcard_that_stands_for_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    _zone_answers(office, monkeypatch)
    office.company.zone("a.example", "anna", primary_ns="ns1.example.net.")
    one = office.site("a.example", "anna", aliases=["www.a.example", "b.example"])
    names = ["www.a.example", "b.example", "a.example"]
    one = office.company.change(one, acme_challenge_type="dns01", is_wildcard=True, san_domains=names)
    office.looked_at()
    job = office.ask(one)
    assert job.results["certificate"]["names"] == ["*.a.example", "a.example", "b.example"]
    assert "left_out" not in office.kept(one)


def test_ones_own_that_was_given_meanwhile_stays(office: Office) -> None:
    one = office.site("a.example", "anna")
    _meanwhile(office, "/certZ", lambda: office.company.change(one, acme_provider=None))
    job = office.ask(one)
    assert (job.status, job.results["certificate"]["status"]) == ("failed", "issued")
    assert "Changed: something else was asked for meanwhile" in office.log(job)
    assert "pem" not in office.kept(one)


@pytest.mark.parametrize("path", ["/authZ", "/certZ"])
def test_one_for_a_name_that_became_another_tenants_is_not_had_or_not_used(office: Office, path: str) -> None:
    site = office.company.site("a.example", "anna", aliases=["b.example"])
    names = ["a.example", "b.example"]
    one = office.company.certificate("a.example", "anna", acme_provider="pebble", san_domains=names)
    office.company.user("bert")
    office.looked_at()

    def taken() -> None:
        office.company.change(site, aliases=[])
        office.company.site("b.example", "bert")
        office.looked_at()

    _meanwhile(office, path, taken)
    job = office.ask(one)
    assert "b.example became another tenant's meanwhile" in office.log(job)
    assert "pem" not in office.kept(one)
    assert job.status == ("pending" if path == "/authZ" else "failed")
    office.looked_at()
    if path == "/certZ":
        assert office.ask(one).status == "completed"
    else:
        until("it is asked for anew", lambda: office.begun(one.target) == 1)
        until("it is had", lambda: "pem" in office.kept(one))
    assert office.kept(one)["names"] == ["a.example"]


def test_one_that_was_deleted_while_it_was_had_counts(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ALIKE", 1)
    one = office.site("a.example", "anna")
    _meanwhile(office, "/certZ", lambda: office.company.remove(one))
    job = office.ask(one)
    assert (job.status, job.results["certificate"]["names"]) == ("failed", ["a.example"])
    again = office.company.certificate("a.example", "anna", acme_provider="pebble")
    office.looked_at()
    assert office.ask(again).status == "failed"
    assert office.kept(again)["trouble"]["code"] == "NamesLimited"


def test_those_that_are_being_had_count(office: Office) -> None:
    names = [f"s{number}.example" for number in range(2 * limits.ALIKE)]
    office.company.site(names[0], "anna", aliases=names[1:])
    ones: list[Document] = [
        office.company.certificate(name, "anna", acme_provider="pebble", san_domains=names) for name in names
    ]
    office.looked_at()
    with office.database.writing() as connection:
        jobs = [ask_for_one(connection, get(connection, one.uid), "ssl_issue") for one in ones]
    assert office.begun(ones[0].target) == len(ones)
    ended = [until("it is over", lambda job=job: office.over(job)) for job in jobs]
    assert sorted(job.status for job in ended) == ["completed"] * limits.ALIKE + ["failed"] * limits.ALIKE
    failed: list[Any] = [office.kept(one).get("trouble") for one in ones]
    assert {each["code"] for each in failed if each} == {"NamesLimited"}


def test_who_deletes_and_makes_it_again_has_no_more_names_refused_than_others(office: Office) -> None:
    def doubts(handler: BaseHTTPRequestHandler) -> bool:
        bad = {"type": "urn:x", "detail": "forbidden", "identifier": {"type": "dns", "value": "a.example"}}
        order = handler.path.startswith("/order-plz")
        return order and problem(handler, 400, "rejectedIdentifier", subproblems=[bad])

    office.fault = doubts
    one = office.site("a.example", "anna")
    for _ in range(limits.FAILURES):
        job = office.ask(one)
        assert job.results["certificate"]["failed"] == ["a.example"]
        office.company.remove(one)
        one = office.company.certificate("a.example", "anna", acme_provider="pebble")
        office.looked_at()
    orders = office.asked["order-plz"]
    assert office.ask(one).status == "failed"
    assert (office.kept(one)["trouble"]["code"], office.asked["order-plz"]) == ("FailuresLimited", orders)
