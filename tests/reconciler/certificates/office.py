"""A clerk of a host that nobody has to be at, and the real authority that it asks, through a door."""

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from sqlalchemy import update

from reconciler.certificates.clerk import Clerk
from reconciler.lease import Contender, Lease
from reconciler.survey import World
from state import jobs
from state.certificates.jobs import ask_for_one
from state.document import Document
from state.keeping import keep
from state.reading import get
from state.settings import Settings
from state.tables import documents
from state.templates import load_templates
from tests.lab.control import until
from tests.lab.difficult import Door, Fault, nothing, say
from tests.state.conftest import Company

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


def problem(
    handler: BaseHTTPRequestHandler, status: int, code: str, *head: tuple[str, str], **more: Any
) -> bool:
    said = {"type": f"urn:ietf:params:acme:error:{code}", "detail": "no", **more}
    told = [("Content-Type", "application/problem+json"), ("Replay-Nonce", "bm9uY2U"), *head]
    say(handler, status, json.dumps(said).encode(), told)
    return True
