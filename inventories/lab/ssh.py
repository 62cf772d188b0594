"""Reaching lab hosts over ssh: keys that we make, host keys that we pin, connections that stay open."""

import shlex
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from inventories.lab import machine
from inventories.lab.faults import LabFailed
from inventories.lab.host import Lab, LabHost
from inventories.lab.process import RUNTIME, attempt, run

_BOOT = 120.0


def ensure_key(path: Path, comment: str) -> str:
    """The public half of the ed25519 key at `path`, made if it is missing."""
    public = path.with_name(f"{path.name}.pub")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.draft")
        for stale in (draft, draft.with_name(f"{draft.name}.pub")):
            stale.unlink(missing_ok=True)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", draft])
        draft.with_name(f"{draft.name}.pub").replace(public)
        draft.replace(path)
    return public.read_text().strip()


def options(lab: Lab) -> tuple[str, ...]:
    """What makes ssh trust the host keys of this lab, and no others."""
    known = f"UserKnownHostsFile={shlex.quote(str(lab.known_hosts))}"
    return ("-o", known, "-o", "GlobalKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=yes")


def execute(
    host: LabHost, argv: Sequence[str], *, stdin: str = "", timeout: float = 120, check: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run `argv` as root on a host, its words as they are, over a connection that stays open.

    Raises subprocess.TimeoutExpired after `timeout` seconds, and LabFailed on a failure if `check`.
    Exit status 255 is ssh's own: the host could not be reached.
    """
    RUNTIME.mkdir(exist_ok=True)
    done = subprocess.run(
        [
            *("ssh", *options(host.lab), "-i", str(host.ssh_key)),
            *("-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=5"),
            *("-o", "ServerAliveInterval=5", "-o", "ControlMaster=auto", "-o", "ControlPersist=600"),
            *("-o", f"ControlPath={host.lab.control_path(host.index, 'exec')}"),
            *(f"root@{host.ipv4}", "--", shlex.join(argv)),
        ],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    if check and done.returncode:
        said = (done.stdout + done.stderr).strip()
        raise LabFailed(f"{host.name}: {shlex.join(argv)}: exit status {done.returncode}\n{said}")
    return done


def wait(host: LabHost) -> None:
    """Wait until a host has booted: ssh answers and systemd has nothing left to start."""
    deadline = time.monotonic() + _BOOT
    state = "no answer from ssh"
    while time.monotonic() < deadline:
        if machine.pid(host.lab, host.index) is None:
            raise LabFailed(f"{host.name} ended while it booted: {machine.last_words(host.lab, host.index)}")
        if not _greets(host.ipv4):
            time.sleep(0.03)
            continue
        state = execute(host, ["systemctl", "is-system-running", "--wait"]).stdout.strip()
        if state in {"running", "degraded"}:
            return
    raise LabFailed(
        f"{host.name} has not booted after {_BOOT:.0f} s ({state}); see {host.directory}/console.log"
    )


def _greets(address: str) -> bool:
    with suppress(OSError), socket.create_connection((address, 22), timeout=1) as connection:
        return connection.recv(4) == b"SSH-"
    return False


def hang_up(lab: Lab) -> None:
    """End the connections to the hosts of `lab` that are still open."""
    for path in RUNTIME.glob(f"{lab.id}-*"):
        attempt(["ssh", "-o", f"ControlPath={path}", "-O", "exit", "lab"])
        path.unlink(missing_ok=True)
