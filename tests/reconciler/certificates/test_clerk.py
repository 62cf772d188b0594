"""What jobs of certificates come to with a real authority that is difficult, and what is asked of it at all."""

import base64
import json
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from reconciler.certificates import clerk as clerks
from reconciler.certificates import line, suggestions
from reconciler.certificates.clerk import Clerk
from reconciler.certificates.decisions import needed
from reconciler.lease import Contender, Lease
from reconciler.survey import World
from state import jobs
from state.certificates.jobs import ask_for_one
from state.database import Database
from state.document import Document
from state.keeping import keep
from state.reading import get, related
from state.settings import Settings
from state.tables import documents
from state.tables import jobs as job_table
from state.templates import load_templates
from tests.lab.control import until
from tests.lab.difficult import Door, Fault, difficult, nothing, say
from tests.lab.pebble import pebble
from tests.state.conftest import Company
from tests.state.vouching import vouch

EASY = {"PEBBLE_VA_ALWAYS_VALID": "1", "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}


class Office:
    """A clerk of a host of ours that nobody has to be at, and the authority that it asks."""

    def __init__(self, company: Company, door: Door, var: Path) -> None:
        self.company, self.database, self.door = company, company.database, door
        settings = Settings(var=var, authorities=door.authorities)
        self.world = World(company.database, settings, lambda *_: {}, lambda: load_templates(()))
        self._clerks: dict[str, tuple[Clerk, Lease]] = {}
        self.asked: Counter[str] = Counter()
        door.fault = self.counted
        self.fault: Fault = nothing

    def counted(self, handler: BaseHTTPRequestHandler) -> bool:
        self.asked[handler.path.split("/")[1]] += 1
        return self.fault(handler)

    def site(self, name: str, owner: str, **values: Any) -> Document:
        """A site that is there, and the certificate that it has without being asked for."""
        self.company.site(name, owner, **values)
        one = self.company.certificate(
            name, owner, acme_provider="pebble", san_domains=[name, *values.get("aliases", ())]
        )
        self.looked_at()
        return one

    def looked_at(self) -> None:
        with self.database.writing() as connection:
            connection.execute(update(documents).values(pending=False))

    def begun(self, target: str) -> int:
        """How many jobs the clerk of a target has begun at a turn."""
        if target not in self._clerks:
            lease = Contender(self.database).take(target)
            assert lease is not None
            self._clerks[target] = Clerk(self.world, target, threading.Event()), lease
        clerk, lease = self._clerks[target]
        return clerk.turn(lease)

    def ask(self, one: Document, job_type: str = "ssl_issue", **how: bool) -> jobs.Job:
        """Has one asked for, and waits until the job is over or put off."""
        with self.database.writing() as connection:
            job = ask_for_one(connection, get(connection, one.uid), job_type, **how)
        return self.turn(one, job)

    def turn(self, one: Document, job: str) -> jobs.Job:
        assert self.begun(one.target) == 1
        over: jobs.Job = until("the job is over", lambda: self.over(job))
        return over

    def over(self, job: str) -> jobs.Job | None:
        with self.database.reading() as connection:
            found = jobs.get_job(connection, job)
        return found if found.status in {"completed", "failed"} or found.scheduled_for else None

    def log(self, job: jobs.Job) -> str:
        with self.database.reading() as connection:
            return "\n".join(text for _, text in jobs.read_log(connection, job.id))

    def kept(self, one: Document) -> Any:
        with self.database.reading() as connection:
            return get(connection, one.uid).kept

    def due(self, one: Document) -> None:
        """Now is when names that were left out are tried again."""
        self.looked_at()
        past, left_out = "2026-01-01T00:00:00Z", self.kept(one)["left_out"]
        self.remember(one, left_out={name: {**each, "retry_at": past} for name, each in left_out.items()})

    def remember(self, one: Document, **values: Any) -> None:
        with self.database.writing() as connection:
            keep(connection, one.uid, values)


@pytest.fixture
def office(sqlite: Database, tmp_path: Path) -> Iterator[Office]:
    company = Company(sqlite)
    company.user("anna")
    with pebble("127.0.0.1", tmp_path, **EASY) as authority, difficult(authority, tmp_path) as door:
        yield Office(company, door, tmp_path)


def _problem(
    handler: BaseHTTPRequestHandler, status: int, code: str, *head: tuple[str, str], **more: Any
) -> bool:
    said = {"type": f"urn:ietf:params:acme:error:{code}", "detail": "no", **more}
    told = [("Content-Type", "application/problem+json"), ("Replay-Nonce", "bm9uY2U"), *head]
    say(handler, status, json.dumps(said).encode(), told)
    return True


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
    office.fault = lambda handler: _problem(handler, 503, "serverInternal")
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
        return _problem(handler, 400, "rejectedIdentifier", subproblems=[bad])

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
        return order and _problem(handler, 429, "rateLimited", ("Retry-After", "99999999999999999"))

    office.fault = limited
    for number, owner in enumerate(("bert", "carl", "dora")):
        office.company.user(owner)
        one = office.site(f"{owner}.example", owner)
        job = office.ask(one)
        assert job.status == "failed"
        code = office.kept(one)["trouble"]["code"]
        assert code == ("RateLimited" if number < 2 else "AuthorityLimited")
    assert office.asked["order-plz"] == 2


def test_an_account_that_was_forgotten_is_made_again_at_once(office: Office) -> None:
    one = office.site("a.example", "anna")
    assert office.ask(one).status == "completed"

    def forgetful(handler: BaseHTTPRequestHandler) -> bool:
        if not handler.path.startswith("/order-plz") or office.asked["sign-me-up"] > 1:
            return False
        return _problem(handler, 400, "accountDoesNotExist")

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
