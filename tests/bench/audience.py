"""Very many clients that follow events at the same time: what each costs the API, and how soon all have heard."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from api.tailer import MOST_EACH
from commands import children
from state.access import api_tokens
from state.database import Database
from state.journal.event import Event
from state.journal.events import emit
from state.settings import Settings
from tests.bench.figures import Line, Run, seconds
from tests.bench.plant import free_port
from tests.reconciler.webhooks.offices import Office, until

TITLE = "Streams of events"
_CLIENTS, _QUICK = 1_000, 100
_MARK = "heard by everybody"


@dataclass(frozen=True, slots=True)
class Heard:
    """What so many clients cost: memory of the server for each in bytes, and seconds until the last one was told."""

    memory: float
    took: float


def measure(run: Run) -> list[Line]:
    """Administrators, each with as many streams as one may have, so that every event goes to everybody."""
    clients = _QUICK if run.quick else _CLIENTS
    run.say(f"{clients:,} clients of the API")
    ours = _ours(clients)
    run.say(f"{clients:,} clients of Starlette alone")
    theirs = _theirs(clients)
    memory = f"{theirs.memory / 1024:.0f} KiB: Starlette alone, asking nobody who they are"
    soon = f"{seconds(theirs.took)}: the same, told in its own process"
    return [
        Line(
            f"{clients:,} clients at the same time, memory of the API for each",
            f"{ours.memory / 1024:.0f} KiB",
            memory,
            theirs.memory / ours.memory,
        ),
        Line(
            "from the commit of an event to the last of them",
            seconds(ours.took),
            soon,
            theirs.took / ours.took,
        ),
    ]


def _ours(clients: int) -> Heard:
    with tempfile.TemporaryDirectory(prefix="ghostcp-bench-") as name:
        folder, port = Path(name), free_port()
        database = Database(Settings(var=folder).database)
        database.migrate()
        tokens = _tokens(Office(database, folder), -(-clients // MOST_EACH))

        def tell() -> None:
            with database.writing() as connection:
                emit(connection, Event("job.started", "", {"text": _MARK}))

        environment = {"GHOSTCP_VAR": name, "GHOSTCP_LISTEN": f"127.0.0.1:{port}"}
        api = children.start("api", environment, folder / "log")
        try:
            until(lambda: _answers(f"http://127.0.0.1:{port}/health"))
            given = [tokens[n // MOST_EACH] for n in range(clients)]
            return _heard(api.process.pid, port, "/api/v1/events", given, tell)
        finally:
            children.stop([api])
            database.close()


def _tokens(office: Office, number: int) -> list[str]:
    """Tokens of so many administrators."""
    wish, made = api_tokens.Wish("bench", ("events:read",)), []
    for each in range(number):
        office.user(f"admin{each}", role="admin")
        with office.database.writing() as connection:
            made.append(api_tokens.add(connection, office.uids[f"admin{each}"], wish, datetime.now(UTC))[1])
    return made


def _theirs(clients: int) -> Heard:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen([sys.executable, "-m", "tests.bench.peer.stream", str(port)]) as process:
        try:
            until(lambda: _answers(f"{url}/none"))
            return _heard(
                process.pid,
                port,
                "/events",
                [""] * clients,
                lambda: httpx.post(f"{url}/tell", content=_MARK, trust_env=False),
            )
        finally:
            process.kill()


def _heard(pid: int, port: int, path: str, tokens: list[str], tell: Callable[[], object]) -> Heard:
    with _clients(port, path, tokens[:1]) as warm:
        tell()
        warm()
    before = _memory(pid)
    with _clients(port, path, tokens) as last:
        began = time.time()
        tell()
        took = last() - began
        return Heard((_memory(pid) - before) / len(tokens), took)


@contextmanager
def _clients(port: int, path: str, tokens: list[str]) -> Iterator[Callable[[], float]]:
    """Clients in a process of their own; gives what waits until the last has heard, and says when that was."""
    asked = json.dumps({"port": port, "path": path, "tokens": tokens, "mark": _MARK})
    argv, pipe = [sys.executable, "-m", "tests.bench.listen"], subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(asked + "\n")
        process.stdin.flush()
        if process.stdout.readline() != "listening\n":
            raise RuntimeError("not all clients could listen")
        lines = process.stdout
        try:
            yield lambda: float(lines.readline())
        finally:
            process.kill()


def _memory(pid: int) -> int:
    """The resident set in bytes (proc(5))."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=5).status_code < 500
    except httpx.HTTPError:
        return False
