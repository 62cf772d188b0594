"""`ghostcp up` ends when a part of it does, whatever it waits for."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.children import Child
from commands.client import Client
from commands.console import Failed
from commands.hosts import follow_jobs
from commands.up import _watching
from tests.commands.processes import until
from tests.commands.stub import Api

JOB = {
    "id": "j1",
    "job_type": "reconcile",
    "host": "web1",
    "status": "running",
    "created_at": "2026-01-01T00:00:00Z",
}
LOG = ("GET", "/jobs/j1/log")


def _worker(folder: Path) -> Child:
    log = folder / "worker.log"
    log.write_text("its last words\n")
    return Child("worker", subprocess.Popen(["/bin/sleep", "600"]), log)


def _ends_while_waiting(folder: Path, wait: Callable[[], None], waits: Callable[[], bool]) -> str:
    """Kills the worker when something is waited for; what is then told."""
    worker = _worker(folder)

    def kill() -> None:
        until("it is waited for", waits)
        os.kill(worker.process.pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        with pytest.raises(Failed) as failed, _watching([worker]):
            wait()
    finally:
        killer.join()
        worker.process.kill()
    return str(failed.value)


def test_a_dead_worker_is_noticed_while_the_log_of_a_run_is_silent(
    tmp_path: Path, api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    api.jobs = [JOB]
    api.answers[LOG] = [(200, 'event: line\ndata: "begun"\n\n', {"Content-Length": "1000"})]
    seen: list[str] = []

    def follow() -> None:
        with Client(api.url, "token-1") as client:
            seen.extend(follow_jobs(client, set(), lambda: None))

    told = _ends_while_waiting(tmp_path, follow, lambda: LOG in api.asked)
    assert told.startswith("worker ended with exit status -9")
    assert told.endswith("its last words")
    assert "worker ended with exit status -9: everything is stopped." in capsys.readouterr().err


def test_a_dead_worker_is_noticed_while_a_program_runs(tmp_path: Path) -> None:
    ready = tmp_path / "ready"

    def run() -> None:
        subprocess.run(["/bin/sh", "-c", f"touch {ready}; exec sleep 600"], check=True)

    assert "worker ended" in _ends_while_waiting(tmp_path, run, ready.exists)


def test_other_children_may_end_and_the_handler_is_put_back(tmp_path: Path) -> None:
    before, worker = signal.getsignal(signal.SIGCHLD), _worker(tmp_path)
    with _watching([worker]):
        subprocess.run(["/bin/true"], check=True)
    assert signal.getsignal(signal.SIGCHLD) == before
    worker.process.kill()
    worker.process.wait()
