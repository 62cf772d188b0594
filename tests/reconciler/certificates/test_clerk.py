"""What jobs of certificates come to with a real authority that is difficult, and what is asked of it at all."""

import base64
import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler

import pytest
from sqlalchemy import update

from reconciler.certificates import clerk as clerks
from reconciler.certificates import line, suggestions
from reconciler.certificates.decisions import needed
from state.certificates.jobs import ask_for_one
from state.reading import get, related
from state.tables import documents
from state.tables import jobs as job_table
from tests.lab.control import until
from tests.lab.difficult import nothing, say
from tests.reconciler.certificates.office import Office, problem
from tests.state.vouching import vouch


def _swapped(handler: BaseHTTPRequestHandler) -> bool:
    """A chain for the right name and another key."""
    if not handler.path.startswith("/certZ"):
        return False
    say(handler, 200, vouch("a.example").chain.encode(), [("Replay-Nonce", "bm9uY2U")])
    return True


def test_a_chain_of_another_key_is_a_failure_and_the_good_one_stays(office: Office) -> None:
    one = office.site("a.example", "anna")
    assert office.ask(one).status == "completed"
    before = office.kept(one)
    office.looked_at()
    office.remember(one, had_at="2026-01-01T00:00:00Z")
    office.fault = _swapped
    job = office.ask(one, "ssl_renew", asked=True)
    assert (job.status, office.kept(one)["trouble"]["code"]) == ("failed", "BadAnswer")
    assert "does not belong" in office.log(job)
    assert office.kept(one)["pem"] == before["pem"]


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b"7", b'{"suggestedWindow": {"start": 1, "end": 2}}', b"[" * 100_000]
)
def test_what_is_said_of_renewing_loses_no_certificate(office: Office, body: bytes) -> None:
    def whim(handler: BaseHTTPRequestHandler) -> bool:
        if handler.path == "/dir":
            base = f"https://{handler.headers['Host']}"
            paths = {"newNonce": "nonce-plz", "newAccount": "sign-me-up", "newOrder": "order-plz"}
            named = {name: f"{base}/{path}" for name, path in {**paths, "renewalInfo": "whim"}.items()}
            say(handler, 200, json.dumps(named).encode(), [("Content-Type", "application/json")])
        elif handler.path.startswith("/whim"):
            say(handler, 200, body, [("Content-Type", "application/json")])
        return handler.path.startswith(("/dir", "/whim"))

    office.fault = whim
    one = office.site("a.example", "anna")
    assert office.ask(one).status == "completed"
    assert office.asked["whim"] == 1
    assert "renew_at" not in office.kept(one)


def test_an_authority_that_changes_its_mind_is_heard(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """After issuing it is asked again, and what it says then has the certificate renewed."""
    monkeypatch.setattr(suggestions, "SECONDS", 0.0)
    start = ["2099-01-01T00:00:00Z"]

    def window(handler: BaseHTTPRequestHandler) -> bool:
        if handler.path == "/dir":
            base = f"https://{handler.headers['Host']}"
            paths = {"newNonce": "nonce-plz", "newAccount": "sign-me-up", "newOrder": "order-plz"}
            named = {name: f"{base}/{path}" for name, path in {**paths, "renewalInfo": "info"}.items()}
            say(handler, 200, json.dumps(named).encode(), [("Content-Type", "application/json")])
        elif handler.path.startswith("/info"):
            said = {"suggestedWindow": {"start": start[0], "end": start[0]}}
            head = [("Content-Type", "application/json"), ("Retry-After", "99999999")]
            say(handler, 200, json.dumps(said).encode(), head)
        return handler.path.startswith(("/dir", "/info"))

    office.fault = window
    one = office.site("a.example", "anna")
    assert office.ask(one).status == "completed"
    assert (office.kept(one)["renew_at"], office.asked["info"]) == ("2099-01-01T00:00:00Z", 1)
    assert office.begun(one.target) == 0
    office.remember(one, had_at="2026-01-01T00:00:00Z")
    start[0] = "2026-01-02T00:00:00Z"
    assert office.begun(one.target) == 0
    until("it was asked", lambda: office.kept(one)["renew_at"] == "2026-01-02T00:00:00Z")
    assert office.asked["info"] == 2
    again = datetime.fromisoformat(office.kept(one)["renew_ask_at"]) - datetime.now(UTC)
    assert timedelta(hours=23) < again <= timedelta(days=1)
    assert office.begun(one.target) == 0
    with office.database.reading() as connection:
        document = get(connection, one.uid)
        assert needed(document, datetime.now(UTC), related(connection)) == "ssl_renew"
    office.fault = lambda handler: problem(handler, 503, "serverInternal")
    office.remember(one, renew_ask_at="2026-01-01T00:00:00Z")
    assert office.begun(one.target) == 0
    until("it was asked", lambda: office.kept(one)["renew_ask_at"] > "2026-01-01T00:00:00Z")
    assert office.kept(one)["renew_at"] == "2026-01-02T00:00:00Z"


def test_a_name_that_is_still_not_believed_costs_no_certificate(office: Office) -> None:
    def doubts(handler: BaseHTTPRequestHandler) -> bool:
        if not handler.path.startswith("/order-plz"):
            return False
        sent = handler.rfile.read(int(handler.headers["Content-Length"]))
        order = json.loads(base64.urlsafe_b64decode(json.loads(sent)["payload"] + "=="))
        if {"type": "dns", "value": "bad.example"} not in order["identifiers"]:
            handler.rfile = _Again(sent)  # type: ignore[assignment]
            return False
        bad = {"type": "urn:x", "detail": "forbidden", "identifier": {"type": "dns", "value": "bad.example"}}
        return problem(handler, 400, "rejectedIdentifier", subproblems=[bad])

    office.fault = doubts
    one = office.site("a.example", "anna", aliases=["bad.example"])
    assert office.ask(one).status == "completed"
    assert office.kept(one)["left_out"]["bad.example"]["message"] == "forbidden"
    had, orders = office.kept(one)["fingerprint"], office.asked["finalize-order"]
    for tries in (2, 3):
        office.due(one)
        assert office.ask(one).status == "completed"
        assert office.kept(one)["left_out"]["bad.example"]["tries"] == tries
    assert (office.kept(one)["fingerprint"], office.asked["finalize-order"]) == (had, orders)

    office.fault = nothing
    office.due(one)
    assert office.ask(one).status == "completed"
    assert office.kept(one)["names"] == ["a.example", "bad.example"]
    assert "left_out" not in office.kept(one)


class _Again:
    """A body that was read once."""

    def __init__(self, sent: bytes) -> None:
        self._sent = sent

    def read(self, _: int) -> bytes:
        return self._sent

    def readline(self, *_: int) -> bytes:
        return b""

    def close(self) -> None:
        """There is nothing to close."""


def test_a_name_without_a_site_is_never_put_to_the_authority(office: Office) -> None:
    one = office.site("a.example", "anna", aliases=[])
    one = office.company.change(one, san_domains=["a.example", "elsewhere.example"])
    office.looked_at()
    assert office.ask(one).status == "completed"
    asked = sum(office.asked.values())
    office.due(one)
    job = office.ask(one)
    assert (job.status, sum(office.asked.values())) == ("completed", asked)
    assert "no site of anna has this name" in office.log(job)


def test_an_authority_that_refused_two_owners_is_left_alone_by_the_third(office: Office) -> None:
    def limited(handler: BaseHTTPRequestHandler) -> bool:
        order = handler.path.startswith("/order-plz")
        return order and problem(handler, 429, "rateLimited", ("Retry-After", "99999999999999999"))

    office.fault = limited
    for number, owner in enumerate(("bert", "carl", "dora")):
        office.company.user(owner)
        one = office.site(f"{owner}.example", owner)
        job = office.ask(one)
        assert job.status == "failed"
        code = office.kept(one)["trouble"]["code"]
        assert code == ("RateLimited" if number < 2 else "AuthorityLimited")
    assert office.asked["order-plz"] == 2


def test_an_authority_that_nobody_knows_is_told_of_without_where_others_are(office: Office) -> None:
    office.company.site("a.example", "anna")
    one = office.company.certificate("a.example", "anna", acme_provider="nobody")
    office.looked_at()
    assert office.ask(one).status == "failed"
    trouble = office.kept(one)["trouble"]
    assert trouble["code"] == "AuthorityUnknown"
    assert trouble["message"].endswith("there are letsencrypt, zerossl, buypass, pebble")


def test_an_account_that_was_forgotten_is_made_again_at_once(office: Office) -> None:
    one = office.site("a.example", "anna")
    assert office.ask(one).status == "completed"

    def forgetful(handler: BaseHTTPRequestHandler) -> bool:
        if not handler.path.startswith("/order-plz") or office.asked["sign-me-up"] > 1:
            return False
        return problem(handler, 400, "accountDoesNotExist")

    office.fault = forgetful
    other = office.site("b.example", "anna")
    assert office.ask(other).status == "completed"
    assert office.asked["sign-me-up"] == 2


def test_a_site_that_is_being_made_is_waited_for(office: Office) -> None:
    one = office.site("a.example", "anna")
    with office.database.writing() as connection:
        connection.execute(update(documents).where(documents.c.kind == "WebDomain").values(pending=True))
    job = office.ask(one)
    assert (job.status, sum(office.asked.values())) == ("pending", 0)
    office.looked_at()
    with office.database.writing() as connection:
        connection.execute(update(job_table).values(scheduled_for=None))
    assert office.turn(one, job.id).status == "completed"


def test_a_fault_of_ours_waits_like_one_of_theirs(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(*_: object) -> None:
        raise AssertionError("a fault of ours")

    monkeypatch.setattr(clerks, "settled", faulty)
    one = office.site("a.example", "anna")
    job = office.ask(one)
    trouble = office.kept(one)["trouble"]
    assert (job.status, trouble["code"], trouble["tries"]) == ("failed", "Fault", 1)

    monkeypatch.setattr(clerks, "refused", faulty)
    office.looked_at()
    office.remember(one, trouble=None)
    with office.database.writing() as connection:
        again = ask_for_one(connection, get(connection, one.uid), "ssl_issue")
    assert office.begun(one.target) == 1
    until("it is given back", lambda: office.begun(one.target) or office.over(again))
    scheduled = office.over(again)
    assert scheduled is not None
    assert scheduled.scheduled_for is not None
    assert scheduled.scheduled_for > datetime.now(UTC) + timedelta(seconds=50)


def test_a_job_that_is_tried_once_more_is_not_asked_for_more_often_than_by_hand(office: Office) -> None:
    one = office.site("a.example", "anna")
    assert office.ask(one).status == "completed"
    asked = sum(office.asked.values())
    job = office.ask(one, "ssl_renew", asked=True)
    assert (job.status, sum(office.asked.values())) == ("failed", asked)
    assert "TooSoon" in office.log(job)
    assert "trouble" not in office.kept(one)


def test_an_authority_that_drips_holds_no_job(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()

    def drips(handler: BaseHTTPRequestHandler) -> bool:
        if not handler.path.startswith("/order-plz"):
            return False
        handler.send_response(201)
        handler.end_headers()
        try:
            while not stop.wait(0.05):
                handler.wfile.write(b" ")
        except OSError:
            handler.close_connection = True
        return True

    monkeypatch.setattr(line, "SECONDS", 1.0)
    office.fault = drips
    one = office.site("a.example", "anna")
    try:
        assert office.ask(one).status == "failed"
    finally:
        stop.set()
    assert office.kept(one)["trouble"]["code"] == "AuthorityDown"
