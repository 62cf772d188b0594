"""A control plane for tests: a database of its own and a real worker on a real lab host."""

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert

from inventories import lab
from reconciler.worker import run_worker
from state import jobs, reading, store
from state.database import Database
from state.document import Condition, Document, Ref, Status
from state.journal.tables import events as event_table
from state.keeping import keep
from state.kinds import KINDS
from state.queue import ring
from state.recording import touch
from state.settings import Settings
from state.statuses import load_statuses
from state.tables import jobs as job_table
from state.tables import numbers
from state.targets import Target, get_target

_planes = count(1)  # control planes that share a host number their users apart
SOON = 60.0


def until(what: str, condition: Callable[[], Any], seconds: float = SOON) -> Any:
    """The first true answer of `condition`; fails with `what` when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s: {what}")


@dataclass
class Control:
    """Writes documents as a door would, and sees what becomes of them."""

    host: lab.LabHost
    settings: Settings
    database: Database
    last: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _open: Connection | None = None

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is written inside becomes visible at once, so that one pass sees all of it."""
        with self.database.writing() as self._open:
            yield
        self._open = None
        ring(self.settings, self.host.name)

    @contextmanager
    def _writing(self, target: Callable[[], str]) -> Iterator[Connection]:
        if self._open is not None:
            yield self._open
            return
        with self.database.writing() as connection:
            yield connection
        ring(self.settings, target())

    def start(self) -> None:
        self._stop = threading.Event()
        arguments = (self.settings, self.database, self._stop)
        self._thread = threading.Thread(target=run_worker, args=arguments)
        self._thread.start()
        until("the worker knows the host", self._known)

    def stop(self) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join(timeout=60)

    def _known(self) -> bool:
        with self.database.reading() as connection:
            try:
                return get_target(connection, self.host.name).observed_at is not None
            except Exception:
                return False

    def target(self) -> Target:
        with self.database.reading() as connection:
            return get_target(connection, self.host.name)

    def create(self, kind: str, name: str, owner: str = "admin", **values: Any) -> Document:
        with self._writing(lambda: document.target) as connection:
            document = store.create(
                connection, KINDS[kind], name, owner, values, actor="test", target=self.host.name
            )
        return document

    def tenant(self, name: str, **values: Any) -> Document:
        spec = {"email": f"{name}@example.com", "shell": "/bin/bash", "web_domains_limit": 0, **values}
        return self.create("User", name, **spec)

    def site(self, domain: str, owner: str, **values: Any) -> Document:
        return self.create("WebDomain", domain, owner, **values)

    def change(self, document: Document, **values: Any) -> Document:
        with self._writing(lambda: document.target) as connection:
            return store.change(connection, document, values, actor="test")

    def remove(self, document: Document, *, confirmed: bool = True) -> None:
        with self._writing(lambda: document.target) as connection:
            store.remove(connection, document, actor="test", confirmed=confirmed)

    def status(self, document: Document) -> Status:
        with self.database.reading() as connection:
            return load_statuses(connection, [document])[document.uid]

    def condition(self, document: Document, type_: str) -> Condition | None:
        return next((c for c in self.status(document).conditions if c.type == type_), None)

    def kept(self, document: Document) -> Any:
        """What is remembered with a document."""
        with self.database.reading() as connection:
            return reading.get(connection, document.uid).kept

    def remember(self, document: Document, **values: Any) -> None:
        """Has something else remembered with a document, and a look at it."""
        with self._writing(lambda: document.target) as connection:
            keep(connection, document.uid, values)
            touch(connection, document)

    def events(self, name: str) -> list[str]:
        """The domains that an event of this name tells of."""
        with self.database.reading() as connection:
            rows = connection.execute(event_table.select().where(event_table.c.event == name))
            return [row.data["domain"] for row in rows]

    def secured(self, document: Document) -> str:
        """What the document says of the certificate that it has, once it has one."""

        def said() -> str:
            found = self.condition(document, "Secured")
            return found.message if found and found.status else ""

        return str(until(f"{document.name} is secured", said))

    def says(self, document: Document, reason: str, *, seconds: float = SOON) -> Condition:
        """The document's Ready condition once it is False for this reason."""

        def said() -> Condition | None:
            found = self.condition(document, "Ready")
            return found if found and not found.status and found.reason == reason else None

        try:
            return until(f"{document.name} is {reason}", said, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.status(document).conditions}") from None

    def settled(self, document: Document, *, seconds: float = SOON) -> Condition:
        """The document's Ready condition once its generation was looked at and nothing is pending."""

        def looked_at() -> Condition | None:
            with self.database.reading() as connection:
                now = reading.get(connection, document.uid)
                waiting = any(d.uid == document.uid for d in reading.pending(connection, now.target))
            status = self.status(document)
            done = status.observed_generation == now.generation and not waiting
            return next((c for c in status.conditions if c.type == "Ready" and done), None)

        return until(f"{document.name} was looked at", looked_at, seconds)

    def ready(self, *documents: Document, seconds: float = SOON) -> None:
        for document in documents:
            try:
                until(f"{document.name} is Ready", lambda d=document: self._ready(d), seconds)
            except AssertionError as error:
                raise AssertionError(f"{error}: {self.status(document).conditions}") from None

    def _ready(self, document: Document) -> bool:
        with self.database.reading() as connection:
            generation = reading.get(connection, document.uid).generation
        condition = self.condition(document, "Ready")
        return bool(condition and condition.status and condition.observed_generation == generation)

    def gone(self, document: Document, *, seconds: float = SOON) -> None:
        def forgotten() -> bool:
            with self.database.reading() as connection:
                return not reading.by_uid(connection, [document.uid])

        until(f"{document.name} is gone", forgotten, seconds)

    def find(self, kind: str, name: str) -> Document | None:
        with self.database.reading() as connection:
            return reading.find(connection, Ref(kind, name))

    def jobs(self, job_type: str = "reconcile") -> list[jobs.Job]:
        with self.database.reading() as connection:
            rows = connection.execute(job_table.select().order_by(job_table.c.created_at)).mappings()
            return [job for job in map(jobs.job_from_row, rows) if job.job_type == job_type]

    def run(self, *argv: str, check: bool = True, input_: str | None = None) -> str:
        """What a command on the host prints, as root."""
        result = lab.exec(self.host, list(argv), stdin=input_ or "")
        if check and result.returncode:
            raise AssertionError(f"{argv}: {result.stderr}")
        return str(result.stdout)

    def fetch(self, domain: str, path: str = "/") -> tuple[int, str]:
        """Status and body of a page, asked for with curl from the host's address."""
        url = f"http://{self.host.ipv4}{path}"
        argv = ["curl", "-s", "--max-time", "10", "-w", "\n%{http_code}", "-H", f"Host: {domain}", url]
        body, _, code = subprocess.run(argv, check=False, capture_output=True, text=True).stdout.rpartition(
            "\n"
        )
        return int(code), body


@contextmanager
def control_plane(
    host: lab.LabHost,
    folder: Path,
    *,
    url: str | None = None,
    worker: bool = True,
    last: int | None = None,
    inventory: Path | None = None,
    **settings: Any,
) -> Iterator[Control]:
    """A control plane with the package ``default`` and, unless told otherwise, a running worker.

    Its users are numbered after `last`, by default apart from those of other control planes.
    """
    last = 100 * next(_planes) if last is None else last
    options: dict[str, Any] = {"sweep_seconds": 3600.0, **settings}
    chosen = Settings(var=folder, inventory=inventory or host.inventory, **options)
    database = Database(url or f"sqlite:///{folder / 'ghostcp.db'}")
    database.migrate()
    with database.writing() as connection:
        store.create(connection, KINDS["Package"], "default", "admin", {}, actor="test")
        connection.execute(insert(numbers).values(kind="User", last=last))
    control = Control(host, chosen, database, last)
    try:
        if worker:
            control.start()
        yield control
    finally:
        control.stop()
        database.close()


@contextmanager
def drop_in(control: Control, unit: str, line: str) -> Iterator[None]:
    """A line in the ``[Service]`` section of a unit of the host, for a while."""
    folder = f"/run/systemd/system/{unit}.service.d"
    control.run("mkdir", "-p", folder)
    control.run("tee", f"{folder}/test.conf", input_=f"[Service]\n{line}\n")
    control.run("systemctl", "daemon-reload")
    try:
        yield
    finally:
        control.run("rm", f"{folder}/test.conf")
        control.run("systemctl", "daemon-reload")
