"""The parts of GhostCP as real processes, on a database of their own, reached by loopback."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from commands.administrator import ensure_administrator
from state.database import Database
from state.targets import list_hosts

_SOURCE = Path(__file__).resolve().parents[2]


class Site:
    """A folder with a database in it, an administrator, and one host that nobody reaches."""

    def __init__(self, var: Path, **settings: str) -> None:
        self.database = Database(f"sqlite:///{var}/ghostcp.db")
        self.database.migrate()
        self.password, _ = ensure_administrator(self.database, var)
        with self.database.writing() as connection:
            list_hosts(connection, {"web1": "127.0.0.1"})
        self.listen = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.listen}"
        self.log = var / "log"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GHOSTCP_")}
        own = {"GHOSTCP_VAR": str(var), "GHOSTCP_LISTEN": self.listen, "PYTHONPATH": str(_SOURCE)}
        self._environment = {**kept, **own, **settings}

    @contextmanager
    def running(self, part: str) -> Iterator[subprocess.Popen[bytes]]:
        """A part of it, which is killed if it has not ended in the end."""
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "ghostcp", part]
            process = subprocess.Popen(
                command, env=self._environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    @contextmanager
    def api(self) -> Iterator[subprocess.Popen[bytes]]:
        with self.running("api") as process:
            until("the API answers", self._healthy)
            yield process

    def client(self) -> httpx.Client:
        """A client that is logged in as the administrator."""
        base, body = f"{self.url}/api/v1", {"username": "admin", "password": self.password}
        answer = httpx.post(f"{base}/auth/login", json=body, trust_env=False).raise_for_status()
        headers = {"Authorization": f"Bearer {answer.json()['token']}"}
        return httpx.Client(base_url=base, headers=headers, trust_env=False, timeout=60)

    def _healthy(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", trust_env=False).is_success
        except httpx.HTTPError:
            return False


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def until(what: str, holds: Callable[[], bool], seconds: float = 60) -> None:
    """Waits for the condition."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.02)
