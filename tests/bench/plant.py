"""What is measured: a fresh lab host, a database, and the real API and worker as processes of their own."""

import http.client
import secrets
import socket
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from sqlalchemy import func, select

from commands import children
from commands.administrator import ensure_administrator
from commands.login import log_in
from inventories import lab
from inventories.lab import LabHost
from inventories.lab.process import RUNTIME
from state.database import Database
from state.document import Document
from state.queue import ring
from state.settings import Settings
from state.tables import documents, statuses, targets
from state.targets import list_hosts
from tests.bench.company import company, store_all
from tests.bench.figures import Say

LONGEST = 900.0


@contextmanager
def fresh_host(say: Say) -> Iterator[LabHost]:
    """A bootstrapped host that nothing was done to, taken down at the end."""
    with tempfile.TemporaryDirectory(prefix="ghostcp-bench-", ignore_cleanup_errors=True) as folder:
        name = f"bench-{secrets.token_hex(2)}"
        try:
            yield lab.up(name, var=Path(folder), progress=say)[0]
        finally:
            lab.down(name, var=Path(folder))


@dataclass(frozen=True)
class Plant:
    """A control plane for one host, and the quick ways to fill and to watch it."""

    host: LabHost
    settings: Settings
    database: Database
    password: str

    @property
    def url(self) -> str:
        return f"http://{self.settings.listen}"

    def token(self) -> str:
        return log_in(self.url, "admin", self.password)

    def fill(self, sites: int, *, present: int = 0, sites_each: int = 10) -> int:
        """Stores the company of `sites` without that of `present`, in one transaction; how many documents."""
        have = {document.uid for document in company(present, self.host.name, sites_each)}
        return self.store(d for d in company(sites, self.host.name, sites_each) if d.uid not in have)

    def store(self, missing: Iterable[Document]) -> int:
        """Stores documents in one transaction, and wakes the worker; how many there were."""
        with self.database.writing() as connection:
            stored = store_all(connection, missing)
        ring(self.settings, self.host.name)
        return stored

    def wait(self, what: str, condition: Callable[[], bool], pause: float = 0.02) -> None:
        """Until it is so. Raises TimeoutError."""
        deadline = time.monotonic() + LONGEST
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not after {LONGEST:.0f} s: {what}")
            time.sleep(pause)

    def known(self) -> bool:
        """Whether the worker has seen the host."""
        with self.database.reading() as connection:
            return connection.execute(select(targets.c.observed_at)).scalar() is not None

    def converged(self) -> bool:
        """Whether every document is Ready and nothing is pending."""
        with self.database.reading() as connection:
            pending = select(func.count()).where(documents.c.pending)
            if connection.execute(pending).scalar_one():
                return False
            placed = select(func.count()).where(documents.c.target != "")
            ready = (
                select(func.count())
                .select_from(statuses.join(documents))
                .where(statuses.c.ready, documents.c.target != "")
            )
            return bool(connection.execute(placed).scalar_one() == connection.execute(ready).scalar_one())

    def answers(self, domain: str) -> int:
        """The status that nginx answers with; 0 for the page of another site, or none."""
        connection = http.client.HTTPConnection(self.host.ipv4, timeout=10)
        try:
            connection.request("GET", "/", headers={"Host": domain, "Connection": "close"})
            response = connection.getresponse()
            return response.status if domain in response.read().decode(errors="replace") else 0
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()


@contextmanager
def plant(host: LabHost, *parts: str, **environment: str) -> Iterator[Plant]:
    """A control plane with the administrator and the package ``default``; `parts`: "api", "worker", which have this
    environment besides."""
    RUNTIME.mkdir(exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ghostcp-bench-")))
        settings = Settings(
            var=folder, inventory=host.inventory, sweep_seconds=86400, listen=f"127.0.0.1:{free_port()}"
        )
        database = Database(settings.database)
        stack.callback(database.close)
        database.migrate()
        with database.writing() as connection:
            list_hosts(connection, {host.name: host.ipv4})
        made = Plant(host, settings, database, ensure_administrator(database, folder)[0])
        started: list[children.Child] = []
        stack.callback(children.stop, started)
        told = {**_environment(settings), **environment}
        started.extend(children.start(part, told, folder / "log") for part in parts)
        if "worker" in parts:
            made.wait("the worker knows the host", lambda: _alive(started) and made.known())
        if "api" in parts:
            made.wait("the API answers", lambda: _alive(started) and _healthy(made.url))
        yield made


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "GHOSTCP_VAR": str(settings.var),
        "GHOSTCP_INVENTORY": str(settings.inventory),
        "GHOSTCP_LISTEN": settings.listen,
        "GHOSTCP_SWEEP_SECONDS": str(settings.sweep_seconds),
        **dict.fromkeys(
            ("GHOSTCP_RATE_AUTHENTICATION", "GHOSTCP_RATE_USERS", "GHOSTCP_RATE_GENERAL"), "1000000000"
        ),
    }


def _alive(started: list[children.Child]) -> bool:
    for child in started:
        child.check()
    return True


def _healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", trust_env=False, timeout=5).is_success
    except httpx.HTTPError:
        return False


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
