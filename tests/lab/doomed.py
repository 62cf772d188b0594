"""A worker process that stops itself at a stage of its work: ``python -m tests.lab.doomed``, see `Doomed`."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reconciler import ansible
from reconciler.observe import Run
from reconciler.pulse import Pulse
from reconciler.survey import World
from reconciler.tender import Tender
from state.database import Database
from state.settings import Settings
from state.templates import load_templates
from tests.lab.control import Control, until

ROOT = Path(__file__).resolve().parents[2]


class Doomed:
    """The test's side: a worker process for a control plane's host, its words, and what became of it."""

    def __init__(self, control: Control, stage: str, number: signal.Signals) -> None:
        arguments = [
            control.database.url,
            str(control.host.inventory),
            control.host.name,
            stage,
            str(int(number)),
        ]
        self._log = control.settings.var / f"doomed-{stage or 'never'}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.lab.doomed", *arguments], cwd=ROOT, stdout=log, stderr=log
            )

    def words(self) -> str:
        return self._log.read_text()

    def died(self) -> None:
        """Waits until it has killed itself at its stage."""
        until("the worker killed itself", lambda: self.process.poll() is not None, 120)
        assert self.process.returncode == -signal.SIGKILL, self.words()

    def stopped(self) -> None:
        """Waits until it has stopped itself at its stage."""
        stat = Path(f"/proc/{self.process.pid}/stat")
        until("the worker stopped itself", lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", 120)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)


@contextmanager
def doomed(control: Control, stage: str = "", number: signal.Signals = signal.SIGKILL) -> Iterator[Doomed]:
    """A worker process that sends itself the signal at ``before observe``, ``after apply`` or the like; or never."""
    worker = Doomed(control, stage, number)
    try:
        yield worker
    finally:
        worker.process.kill()
        worker.process.wait()


def run_until(run: Run, stage: str, number: int) -> Run:
    def wrapped(playbook: str, target: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        _reached(f"before {playbook}", request)
        try:
            response = run(playbook, target, request)
        except Exception as error:
            print(f"{playbook} raised {error!r}", flush=True)  # noqa: T201
            raise
        print(f"after {playbook}{' fenced' if response.get('fenced') else ''}", flush=True)  # noqa: T201
        _reached(f"after {playbook}", request)
        return response

    def _reached(point: str, request: Mapping[str, Any]) -> None:
        if point == stage and (request.get("changes") or request.get("resources")):
            os.kill(os.getpid(), number)

    return wrapped


def main(url: str, inventory: str, target: str, stage: str, number: str) -> None:
    settings = Settings(var=Path("/nonexistent"), inventory=Path(inventory))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with ansible.runner(Path(inventory)) as run:
        world = World(
            Database(url),
            settings,
            run_until(run, stage, int(number)),
            lambda: load_templates(settings.template_folders),
        )
        Tender(world, target, stop, Pulse()).passes()


if __name__ == "__main__":
    main(*sys.argv[1:])
