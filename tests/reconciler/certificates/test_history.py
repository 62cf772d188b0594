"""What was ordered and had counts, whatever became of the documents that it was for."""

from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler

import pytest
from sqlalchemy import func, select

from reconciler.certificates.decisions import needed
from state.certificates import limits
from state.certificates.jobs import ask_for_one
from state.document import Document
from state.reading import get, related
from state.tables import jobs
from tests.lab.control import until
from tests.reconciler.certificates.office import Office, problem


def _needed(office: Office, one: Document, now: datetime) -> str | None:
    with office.database.reading() as connection:
        return needed(get(connection, one.uid), now, related(connection))


def _afresh(office: Office, one: Document, name: str | None = None) -> Document:
    """The same certificate, deleted and made anew."""
    office.company.remove(one)
    made = office.company.certificate(
        name or one.name, one.owner, acme_provider="pebble", san_domains=["a.example", "b.example"]
    )
    office.looked_at()
    return made


def test_who_deletes_a_certificate_and_makes_it_again_has_no_more_of_them_than_others(office: Office) -> None:
    one = office.site("a.example", "anna", aliases=["b.example"])
    for _ in range(limits.ALIKE):
        job = office.ask(one)
        names = ["a.example", "b.example"]
        told = {"status": "issued", "authority": "pebble", "orders": 1, "names": names}
        assert (job.status, job.results) == ("completed", {"certificate": told})
        one = _afresh(office, one, "b.example" if one.name == "a.example" else "a.example")
    orders = office.asked["order-plz"]
    job = office.ask(one)
    assert (job.status, job.results, office.asked["order-plz"]) == ("failed", {}, orders)
    trouble, now = office.kept(one)["trouble"], datetime.now(UTC)
    assert (trouble["code"], trouble["tries"]) == ("NamesLimited", 0)
    again = datetime.fromisoformat(trouble["retry_at"])
    assert timedelta(days=6, hours=23) < again - now <= timedelta(days=7)
    assert _needed(office, one, again - timedelta(seconds=2)) is None
    assert _needed(office, one, again) == "ssl_issue"
    office.looked_at()
    office.company.site("c.example", "anna")
    one = office.company.change(one, san_domains=["a.example", "b.example", "c.example"])
    office.looked_at()
    assert office.ask(one, asked=True).status == "completed"


def test_names_that_are_left_with_the_bad_ones_left_out_count_too(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def doubts(handler: BaseHTTPRequestHandler) -> bool:
        if not handler.path.startswith("/order-plz") or office.asked["order-plz"] % 2 == 0:
            return False
        bad = {"type": "urn:x", "detail": "forbidden", "identifier": {"type": "dns", "value": "b.example"}}
        return problem(handler, 400, "rejectedIdentifier", subproblems=[bad])

    monkeypatch.setattr(limits, "ALIKE", 1)
    office.fault = doubts
    one = office.site("a.example", "anna", aliases=["b.example"])
    job = office.ask(one)
    told = {"status": "issued", "authority": "pebble", "orders": 2, "names": ["a.example"]}
    told["failed"] = ["b.example"]
    assert (job.status, job.results) == ("completed", {"certificate": told})
    one = _afresh(office, one)
    job = office.ask(one)
    trouble = office.kept(one)["trouble"]
    why = {"reason": "NamesLimited", "retry_at": trouble["retry_at"], "names": ["a.example", "b.example"]}
    assert job.results["certificate"] == {"status": "failed", "authority": "pebble", "orders": 1, **why}
    assert trouble["code"] == "NamesLimited"


def test_one_owner_leaves_orders_to_others(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ORDERS", 2)
    ones = [office.site(f"{each}.example", "anna") for each in "abc"]
    done = [office.ask(one) for one in ones]
    assert [job.status for job in done] == ["completed", "completed", "failed"]
    trouble = office.kept(ones[2])["trouble"]
    again = datetime.fromisoformat(trouble["retry_at"]) - datetime.now(UTC)
    assert (trouble["code"], office.asked["order-plz"]) == ("OwnerLimited", 2)
    assert timedelta(hours=2, minutes=59) < again <= timedelta(hours=3, seconds=1)
    office.company.user("bert")
    assert office.ask(office.site("d.example", "bert")).status == "completed"


def test_many_that_are_had_at_once_are_counted_one_by_one(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "ORDERS", 10)
    office.company.user("cleo", web_domains_limit=0)
    ones = [office.site(f"s{number}.example", "cleo") for number in range(16)]
    with office.database.writing() as connection:
        for one in ones:
            ask_for_one(connection, get(connection, one.uid), "ssl_issue")
    assert office.begun(ones[0].target) == 16

    def ended() -> dict[str, int]:
        query = select(jobs.c.status, func.count()).group_by(jobs.c.status)
        with office.database.reading() as connection:
            return {row.status: row[1] for row in connection.execute(query)}

    until("all are over", lambda: not ended().keys() & {"pending", "running"})
    assert ended() == {"completed": 10, "failed": 6}
    assert office.asked["order-plz"] == 10


def test_one_that_ends_is_renewed_whatever_was_had(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ALIKE", 1)
    one = office.site("a.example", "anna")
    assert office.ask(one).status == "completed"
    office.remember(one, had_at="2026-01-01T00:00:00Z", valid_from="2026-01-01T00:00:00Z")
    office.looked_at()
    assert office.ask(one, "ssl_renew", asked=True).status == "failed"
    soon = datetime.now(UTC) + timedelta(hours=1)
    office.remember(one, trouble=None, valid_until=f"{soon:%Y-%m-%dT%H:%M:%SZ}")
    office.looked_at()
    assert office.ask(one, "ssl_renew").status == "completed"


def test_what_is_too_much_is_tried_again_when_it_is_that_no_more(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which is with the last third of its lifetime, and for other names at once."""
    monkeypatch.setattr(limits, "ALIKE", 1)
    one = office.site("a.example", "anna")
    assert office.ask(one).status == "completed"
    office.remember(one, had_at="2026-01-01T00:00:00Z")
    since, day = datetime.now(UTC).replace(microsecond=0), timedelta(days=1)
    begin, end = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (since - 2 * day, since + 4 * day))
    office.remember(one, valid_from=begin, valid_until=end)
    office.looked_at()
    assert office.ask(one, "ssl_renew", asked=True).status == "failed"
    third = since + 2 * day
    trouble = office.kept(one)["trouble"]
    assert trouble["code"] == "NamesLimited"
    assert timedelta(0) <= datetime.fromisoformat(trouble["retry_at"]) - third <= timedelta(seconds=1)
    assert _needed(office, one, third - timedelta(seconds=1)) is None
    assert _needed(office, one, third + timedelta(seconds=1)) == "ssl_renew"
    office.company.site("b.example", "anna")
    more = office.company.change(one, san_domains=["a.example", "b.example"])
    office.looked_at()
    assert _needed(office, more, since) == "ssl_issue"
    assert office.ask(more).status == "completed"


def test_who_makes_it_again_is_still_one_whom_the_authority_refused(office: Office) -> None:
    office.fault = lambda handler: (
        handler.path.startswith("/order-plz")
        and problem(handler, 429, "rateLimited", ("Retry-After", "7200"))
    )
    one = office.site("a.example", "anna", aliases=["b.example"])
    for _ in range(2):
        assert office.ask(one).results["certificate"]["reason"] == "RateLimited"
        one = _afresh(office, one)
    assert office.ask(one).status == "failed"
    assert (office.kept(one)["trouble"]["code"], office.asked["order-plz"]) == ("AuthorityLimited", 2)
