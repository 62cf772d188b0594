"""A broker only wakes: what it loses or doubles changes nothing."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from inventories import lab
from state.queue import WAKE_TASK, celery_app
from tests.lab.control import control_plane, until

pytestmark = pytest.mark.lab


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A real Redis of its own, on a free port of the loopback address."""
    program = shutil.which("redis-server")
    assert program, "redis-server is missing: apt-get install redis-server"
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    until("redis answers", lambda: _answers(port))
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def test_rings_through_a_broker_wake_the_worker_and_lost_or_doubled_ones_change_nothing(
    lab_host: lab.LabHost, tmp_path: Path, redis_url: str
) -> None:
    with control_plane(lab_host, tmp_path, broker_url=redis_url) as control:
        app = celery_app(redis_url)
        for _ in range(20):
            app.send_task(WAKE_TASK, args=[control.host.name], ignore_result=True)
        user = control.tenant("broker")
        control.ready(user)
        assert len(control.jobs()) == 1
        until("the queue is drained", lambda: _length(redis_url) == 0)


def test_a_broker_that_is_down_delays_nothing_but_the_ring(lab_host: lab.LabHost, tmp_path: Path) -> None:
    with control_plane(lab_host, tmp_path, broker_url="redis://127.0.0.1:9/0") as control:
        started = time.monotonic()
        user = control.tenant("nobroker")
        assert time.monotonic() - started < 10
        control.ready(user)


def _length(url: str) -> int:
    """How many messages wait: Redis keeps a Celery queue as a list (redis.io, LLEN)."""
    port = int(url.split(":")[2].split("/", maxsplit=1)[0])
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.sendall(b"LLEN celery\r\n")
        return int(sock.recv(64).decode().strip().removeprefix(":"))
