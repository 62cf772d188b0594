"""Runs playbooks through ansible-runner: a request goes there as a file, a response comes back as one."""

import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ansible_runner

from reconciler.lease import is_dead, whoami
from reconciler.warm import WarmAnsible
from state.errors import Unknown, Unreachable
from state.settings import PLAYBOOKS

TIMEOUT_SECONDS = 900
_PREFIX, _HOLDER = "ghostcp-run-", "holder"
_NEW_SECONDS = 600.0


@dataclass
class Play:
    """What a run's events told: whether it reached its final stats, and what went wrong on the way."""

    finished: bool = False
    unreachable: str = ""
    failed: str = ""
    lines: list[str] = field(default_factory=list)

    def take(self, event: dict[str, Any]) -> bool:
        """An ansible-runner event handler; keeps no event on disk."""
        kind, data = event.get("event", ""), event.get("event_data", {})
        result = data.get("res") or {}
        if kind == "playbook_on_stats":
            self.finished = True
        elif kind == "runner_on_unreachable":
            self.unreachable = str(result.get("msg", "no answer")).strip()
        elif kind == "runner_on_failed":
            self.failed = str(result.get("msg", "no message")).strip()
        return False


class AnsibleRunner:
    """Calls ``playbooks/<name>.yml`` on one host of the inventory. Callable as `reconciler.observe.Run`."""

    def __init__(self, inventory: Path, folder: Path) -> None:
        self._inventory = inventory.resolve()
        self._folder = folder

    def __call__(self, playbook: str, target: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """The response. Raises Unreachable, or Unknown when the run did not come to its final stats."""
        private = Path(tempfile.mkdtemp(prefix="run-", dir=self._folder))
        try:
            asked, answered = private / "request.json", private / "response.json"
            asked.touch(mode=0o600)
            asked.write_text(json.dumps(request))
            play = Play()
            ansible_runner.run(
                private_data_dir=str(private),
                ident=secrets.token_hex(4),
                playbook=str(PLAYBOOKS / f"{playbook}.yml"),
                inventory=str(self._inventory),
                limit=target,
                extravars={"request": str(asked), "response": str(answered)},
                envvars={**environment(self._folder), "PATH": f"{self._folder}:{os.environ['PATH']}"},
                event_handler=play.take,
                quiet=True,
                suppress_env_files=True,
                settings={"job_timeout": TIMEOUT_SECONDS, "suppress_output_file": True},
            )
            return _judged(play, playbook, target, answered)
        finally:
            shutil.rmtree(private, ignore_errors=True)


def _judged(play: Play, playbook: str, target: str, answered: Path) -> Mapping[str, Any]:
    if play.unreachable:
        raise Unreachable(f"{target} does not answer: {play.unreachable}")
    if play.failed:
        raise Unknown(f"{playbook} failed on {target}: {play.failed}")
    if not play.finished or not answered.exists():
        raise Unknown(f"{playbook} on {target} ended without its final word: it is observed again")
    response: Mapping[str, Any] = json.loads(answered.read_text())
    return response


def environment(folder: Path) -> dict[str, str]:
    """The settings of every run (docs.ansible.com, "Ansible Configuration Settings")."""
    return {
        "ANSIBLE_CONFIG": str(PLAYBOOKS / "ansible.cfg"),
        "ANSIBLE_LIBRARY": str(PLAYBOOKS / "library"),
        "ANSIBLE_MODULE_UTILS": str(PLAYBOOKS / "module_utils"),
        "ANSIBLE_ACTION_PLUGINS": str(PLAYBOOKS / "action_plugins"),
        "ANSIBLE_PIPELINING": "True",
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"),
        "ANSIBLE_SSH_ARGS": (
            "-o ControlMaster=auto -o ControlPersist=600s -o ServerAliveInterval=5 -o ServerAliveCountMax=3"
        ),
        "ANSIBLE_TIMEOUT": "10",
        "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
    }


def _sweep_up() -> None:
    """Removes what workers of this machine left that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if _left_behind(folder):
                _close_connections(folder / "cp")
                shutil.rmtree(folder, ignore_errors=True)


def _left_behind(folder: Path) -> bool:
    """Whether nobody works in the folder: its holder is dead, or it has had none for a while, since an Ansible that was
    about to end made it once more."""
    try:
        return is_dead((folder / _HOLDER).read_text())
    except FileNotFoundError:
        return time.time() - folder.stat().st_mtime > _NEW_SECONDS


@contextmanager
def runner(inventory: Path) -> Iterator[AnsibleRunner]:
    """A runner with a warm Ansible behind it; ends its ssh connections and leaves nothing on disk."""
    _sweep_up()
    with tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        (folder / _HOLDER).write_text(whoami())
        with WarmAnsible(folder, _server_environment(folder)):
            try:
                yield AnsibleRunner(inventory, folder)
            finally:
                _close_connections(folder / "cp")


def _server_environment(folder: Path) -> dict[str, str]:
    """What ansible-runner sets for a run: Ansible reads it when it is imported, so the server needs it too."""
    config = ansible_runner.RunnerConfig(
        private_data_dir=str(folder), playbook="none", envvars=environment(folder), suppress_env_files=True
    )
    config.prepare()
    return {k: str(v) for k, v in config.env.items() if k.startswith(("ANSIBLE_", "AWX_", "RUNNER_"))}


def _close_connections(folder: Path) -> None:
    for path in folder.glob("*") if folder.exists() else ():
        subprocess.run(
            ["ssh", "-o", f"ControlPath={path}", "-O", "exit", "none"],
            check=False,
            capture_output=True,
            timeout=10,
        )
