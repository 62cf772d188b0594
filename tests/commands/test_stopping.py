"""What is told to stop finishes what is under way, gives back what it holds, and ends well."""

import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from reconciler.lease import Contender
from state import store
from state.jobs import add_job, log
from state.kinds import KINDS
from state.tables import leases
from tests.commands.processes import Site, free_port, until

USER: dict[str, Any] = {"username": "anna", "email": "anna@example.com", "password": "correct horse"}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.database.close()


def _stop(process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> float:
    """Tells it to stop; how long that took."""
    start = time.monotonic()
    process.send_signal(number)
    assert process.wait(30) == 0
    return time.monotonic() - start


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_answer_that_is_held_is_given_before_the_api_ends(site: Site, number: signal.Signals) -> None:
    with site.api() as process, site.client() as client, ThreadPoolExecutor() as pool:
        held = pool.submit(client.post, "/users", params={"wait": 60}, json=USER)
        until("the user is there", lambda: client.get("/users?username=anna").json()["total"] == 1)
        assert _stop(process, number) < 10
        answer = held.result()
    assert answer.status_code == 201
    assert answer.json()["username"] == "anna"


def test_a_stream_is_brought_to_its_end(site: Site) -> None:
    with site.database.writing() as connection:
        job = add_job(connection, "reconcile")
        log(connection, job, "begun")
    with site.api() as process, site.client() as client, client.stream("GET", f"/jobs/{job}/log") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "event: line"
        assert _stop(process) < 10
        assert [*lines][1:3] == [f"data: {json.dumps('begun')}", ""]


def test_a_request_that_never_ends_does_not_keep_the_api(tmp_path: Path) -> None:
    site = Site(tmp_path, GHOSTCP_STOP_SECONDS="1")
    host, port = site.listen.rsplit(":", 1)
    with site.api() as process, socket.create_connection((host, int(port))) as half:
        half.sendall(b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert httpx.get(f"{site.url}/health", trust_env=False).is_success
        assert _stop(process) < 10
    site.database.close()


def test_what_the_api_logs_are_lines_of_json(site: Site) -> None:
    with site.api() as process:
        httpx.get(f"{site.url}/api/v1/users?search=s3cret", trust_env=False, headers={"X-Request-ID": "r1"})
        _stop(process)
    lines = [json.loads(line) for line in site.log.read_text().splitlines()]
    asked = next(line for line in lines if line.get("request_id") == "r1")
    assert (asked["route"], asked["status"], asked["level"]) == ("/api/v1/users", 401, "info")
    assert "s3cret" not in site.log.read_text()
    assert any("Uvicorn running" in line["event"] for line in lines)


@contextmanager
def _host_that_never_answers(folder: Path) -> Iterator[Path]:
    """An inventory with a host that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield _inventory(folder, listener.getsockname()[1])


def _inventory(folder: Path, port: int) -> Path:
    path = folder / "hosts.yml"
    path.write_text(
        f"ghostcp_hosts: {{hosts: {{web1: {{ansible_host: 127.0.0.1, ansible_port: {port}}}}}}}\n"
    )
    return path


def _held(site: Site) -> bool:
    with site.database.reading() as connection:
        return bool(connection.execute(select(leases.c.held).where(leases.c.target == "web1")).scalar())


def _runs(inventory: Path) -> int:
    """How many programs run with this inventory."""
    found = 0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found += str(inventory).encode() in path.read_bytes()
    return found


def test_a_worker_gives_its_lease_back_at_once(tmp_path: Path) -> None:
    inventory = _inventory(tmp_path, free_port())
    site = Site(tmp_path, GHOSTCP_INVENTORY=str(inventory), GHOSTCP_STOP_SECONDS="600")
    with site.running("worker") as process:
        until("the worker holds the lease", lambda: _held(site))
        process.send_signal(signal.SIGTERM)
        until("the lease is given back", lambda: not _held(site))
        assert process.wait(60) == 0
    site.database.close()


def test_a_worker_abandons_what_takes_too_long_and_another_goes_on(tmp_path: Path) -> None:
    with _host_that_never_answers(tmp_path) as inventory:
        site = Site(tmp_path, GHOSTCP_INVENTORY=str(inventory), GHOSTCP_STOP_SECONDS="1")
        with site.database.writing() as connection:
            store.create(connection, KINDS["User"], "anna", "", {"email": "anna@example.com"}, actor="test")
        with site.running("worker") as process:
            until("a pass is under way", lambda: _held(site) and _runs(inventory) > 0)
            assert _stop(process) < 10
        until("its runs are over", lambda: _runs(inventory) == 0)
        assert Contender(site.database).take("web1") is not None
    site.database.close()
