"""The parts of GhostCP as processes of this one: started with a log each, stopped without a trace."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from commands.console import Failed
from state.settings import settings

_SPARE_SECONDS = 5.0
_SOURCE = Path(__file__).resolve().parent.parent
_DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "TERM", "--")


@dataclass(frozen=True, slots=True)
class Child:
    """A command of `ghostcp` that runs in a process group of its own."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Raises Failed with the end of its log when it has ended."""
        status = self.process.poll()
        if status is not None:
            tail = self.log.read_text(errors="replace").splitlines()[-15:]
            raise Failed(f"{self.name} ended with exit status {status}; the end of {self.log}:", *tail)


def start(name: str, environment: Mapping[str, str], logs: Path) -> Child:
    """Starts ``ghostcp NAME`` with its output in ``logs/NAME.log``; it ends when this process does."""
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{name}.log"
    paths = filter(None, (str(_SOURCE), os.environ.get("PYTHONPATH", "")))
    log.touch(mode=0o600)
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_DIE_WITH_PARENT, sys.executable, "-m", "ghostcp", name],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), **environment},
            process_group=0,
        )
    return Child(name, process, log)


def stop(children: Sequence[Child]) -> None:
    """Ends all of them and all in their process groups, gently as long as they may take to stop."""
    for child in children:
        _signal(child, signal.SIGTERM)
    deadline = time.monotonic() + settings().stop_seconds + _SPARE_SECONDS
    for child in children:
        while not _ended(child) and time.monotonic() < deadline:
            time.sleep(0.05)
        _signal(child, signal.SIGKILL)
        child.process.wait()


def _ended(child: Child) -> bool:
    """Whether it has ended, without burying it: until then its process group's number is its own."""
    if child.process.returncode is not None:
        return True
    return os.waitid(os.P_PID, child.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _signal(child: Child, number: signal.Signals) -> None:
    if child.process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(child.process.pid, number)
