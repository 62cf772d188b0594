"""A warm ansible-playbook: a process with Ansible imported that forks a run in milliseconds instead of a second.

ansible-runner starts the program ``ansible-playbook`` that it finds on the PATH. Ours, made here, hands its
arguments, environment and terminal to this server (unix(7), SCM_RIGHTS), which forks a child that goes on as
Ansible does. Without a server it becomes the ordinary ``ansible-playbook``.
"""

import array
import importlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

CLIENT = '''#!{python} -IS
"""Runs ansible-playbook in the warm server; becomes the ordinary one when there is none."""
import array, json, os, socket, struct, sys
try:
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.connect({socket!r})
except OSError:
    os.execv({cold!r}, [{cold!r}, *sys.argv[1:]])
call = json.dumps({{"argv": sys.argv, "env": dict(os.environ), "cwd": os.getcwd()}}).encode()
server.sendmsg([struct.pack("!I", len(call))], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
server.sendall(call)
answer = server.recv(4)
sys.exit(struct.unpack("!i", answer)[0] if len(answer) == 4 else 250)
'''


class WarmAnsible:
    """Owns the server process and the folder whose ``ansible-playbook`` leads to it; for a ``with`` block."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        """`folder`: a private one with a short path; `environment`: what every run will have set."""
        self.folder = folder
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "WarmAnsible":
        path = str(self.folder / "warm.sock")
        cold = str(Path(sys.executable).parent / "ansible-playbook")
        client = self.folder / "ansible-playbook"
        client.write_text(CLIENT.format(python=sys.executable, socket=path, cold=cold))
        client.chmod(0o700)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "reconciler.warm", path],
            env={**os.environ, **self._environment, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._process and self._process.stdin:
            self._process.stdin.close()
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def serve(path: str) -> None:
    """Forks a run for each client until standard input ends; a client that goes away takes its run with it."""
    _import_ansible()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with suppress(FileNotFoundError):
        Path(path).unlink()
    listener.bind(path)
    listener.listen(16)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write)
    runs: dict[int, socket.socket] = {}
    while True:
        watched: list[Any] = [0, wake_read, listener, *runs.values()]
        ready, _, _ = select.select(watched, [], [])
        if 0 in ready and not os.read(0, 1):
            break
        if wake_read in ready:
            os.read(wake_read, 512)
        _reap(runs)
        if listener in ready:
            _start(listener.accept()[0], listener, runs)
        _abandoned(ready, runs)
    for pid in runs:
        _kill(pid)


def _reap(runs: dict[int, socket.socket]) -> None:
    """Tells each client whose run has ended how it ended."""
    for pid in list(runs):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            with runs.pop(pid) as client, suppress(OSError):
                client.sendall(struct.pack("!i", os.waitstatus_to_exitcode(status) & 0xFF))


def _abandoned(ready: list[Any], runs: dict[int, socket.socket]) -> None:
    for pid, client in list(runs.items()):
        if client in ready and not client.recv(1):
            _kill(pid)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _start(client: socket.socket, listener: socket.socket, runs: dict[int, socket.socket]) -> None:
    """Receives one call and forks its run."""
    fds = array.array("i")
    try:
        head, ancillary, _, _ = client.recvmsg(4, socket.CMSG_LEN(3 * fds.itemsize))
        for _level, _type, data in ancillary:
            fds.frombytes(data)
        size, body = struct.unpack("!I", head)[0], b""
        while len(body) < size:
            body += client.recv(size - len(body)) or b"\0" * size
        call = json.loads(body)
    except (OSError, struct.error, ValueError):
        client.close()
        return
    pid = os.fork()
    if pid == 0:
        listener.close()
        _run(call, list(fds))
    for fd in fds:
        os.close(fd)
    runs[pid] = client


def _run(call: dict[str, object], fds: list[int]) -> None:
    """In the child: becomes an ansible-playbook with the client's arguments, environment and files."""
    code = 250
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number, fd in enumerate(fds):
            os.dup2(fd, number)
        os.environ.clear()
        os.environ.update(call["env"])  # type: ignore[call-overload]
        os.chdir(str(call["cwd"]))
        sys.argv = list(call["argv"])  # type: ignore[call-overload]
        from ansible.cli.playbook import PlaybookCLI  # noqa: PLC0415 - imported already, in the parent

        code = int(PlaybookCLI.cli_executor(sys.argv) or 0)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _import_ansible() -> None:
    """Imports what every run needs, so that a fork has it; not callbacks, which read a run's own environment."""
    import ansible.cli.playbook  # noqa: PLC0415
    import ansible.executor.playbook_executor  # noqa: PLC0415
    import ansible.executor.task_queue_manager  # noqa: PLC0415
    import ansible.inventory.manager  # noqa: PLC0415
    import ansible.plugins.connection.ssh  # noqa: PLC0415
    import ansible.plugins.strategy.linear  # noqa: PLC0415, F401
    from ansible.plugins import loader  # noqa: PLC0415

    loader.init_plugin_loader([])
    importlib.import_module("ansible_collections.ansible.builtin")
    loader.strategy_loader.get("linear", class_only=True)
    loader.action_loader.get("ghostcp_batch", class_only=True)
    for plugin in ("host_list", "script", "auto", "yaml"):
        loader.inventory_loader.get(plugin, class_only=True)
    for kind in ("become", "connection", "filter", "shell", "test", "vars"):
        list(getattr(loader, f"{kind}_loader").all(class_only=True))


if __name__ == "__main__":
    serve(sys.argv[1])
