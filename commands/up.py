"""`ghostcp up`: a small hosting company on this machine, from nothing to sites that answer."""

import errno
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated

import httpx
import typer

from commands import children, lab
from commands.administrator import NAME, ensure_administrator, password_file
from commands.client import Client
from commands.console import Failed, err, out, plain
from commands.documents import given, posted
from commands.hosts import follow_jobs, latest
from commands.login import log_in
from commands.plans import ask, carry_out
from commands.result import Row, look, shown
from commands.serve import listen, migrate
from inventories.lab import LabHost, check
from inventories.lab import up as raise_lab
from inventories.lab.process import locked
from state.database import Database
from state.settings import Settings, settings
from state.targets import list_hosts

EXAMPLES = Path(__file__).resolve().parent.parent / "state" / "examples"
LAB = "up"
_HEALTHY, _CONVERGED = 60.0, 300.0


@dataclass(frozen=True, slots=True)
class Running:
    """What is up: the host, the API's place and password, and the processes."""

    host: LabHost
    url: str
    password: str
    processes: tuple[children.Child, ...]

    def connect(self) -> Client:
        """A client that is logged in anew."""
        try:
            return Client(self.url, log_in(self.url, NAME, self.password))
        except Failed as failure:
            hint = (
                "If the administrator's password was changed, set GHOSTCP_ADMIN_PASSWORD to what it is now."
            )
            raise Failed(*failure.lines, hint) from None

    def pause(self) -> None:
        """A second, unless a part has ended: raises Failed."""
        for child in self.processes:
            child.check()
        time.sleep(1)


def up(
    *, once: Annotated[bool, typer.Option("--once", help="stop everything after the table, and exit")] = False
) -> None:
    """Start a lab host, the API and a worker, and bring the example company to life; Ctrl-C stops all of it.

    What was made is kept in GHOSTCP_VAR (default ./var): the next time takes seconds and changes nothing.
    """
    began, now = time.monotonic(), settings()
    with lab.told():
        check(now.var)
    with ExitStack() as stack:
        if not stack.enter_context(locked(now.var / "up.lock", wait=False)):
            raise Failed(f"another `ghostcp up` runs on {now.var.resolve()}: stop it, or set GHOSTCP_VAR")
        stack.enter_context(_stopping())
        running = _start(stack, now)
        with running.connect() as client:
            rows = _bring_to_life(client, running)
        out.print(shown(rows))
        plain(f"{len(rows)} documents in {time.monotonic() - began:.0f} s.")
        plain(f"API: {running.url}/api/docs, as {NAME}; logs: {now.var / 'log'}")
        wrong = [row for row in rows if not row.right]
        if not once:
            _print_events(running)
        if wrong:
            raise Failed(
                f"{len(wrong)} documents are not as intended: {', '.join(row.name for row in wrong)}"
            )


def _start(stack: ExitStack, now: Settings) -> Running:
    host, port = listen(now)
    _refuse_taken(host, port)
    migrate()
    started: list[children.Child] = []
    stack.callback(lab.halt, LAB, now.var)
    stack.callback(children.stop, started)
    stack.callback(_handle, _ignore)
    stack.enter_context(_watching(started))
    environment = {"GHOSTCP_VAR": str(now.var.resolve()), "GHOSTCP_LISTEN": now.listen}
    started.append(children.start("api", environment, now.var / "log"))
    with lab.told():
        machine = raise_lab(LAB, 1, var=now.var, progress=lab.say)[0]
    password = _register(now, machine)
    environment["GHOSTCP_INVENTORY"] = str(machine.inventory)
    started.append(children.start("worker", environment, now.var / "log"))
    reached = host if host not in {"0.0.0.0", "::"} else "127.0.0.1"  # noqa: S104
    url = f"http://{f'[{reached}]' if ':' in reached else reached}:{port}"
    running = Running(machine, url, password, tuple(started))
    _wait_for_health(running)
    return running


def _register(now: Settings, machine: LabHost) -> str:
    """Makes the host and the administrator known; the administrator's password."""
    database = Database(now.database)
    try:
        with database.writing() as connection:
            list_hosts(connection, {machine.name: machine.ipv4})
        password, new = ensure_administrator(database, now.var)
    finally:
        database.close()
    if new:
        lab.say(f"Administrator: {NAME}, password {password} (shown once; kept in {password_file(now.var)})")
    return password


def _wait_for_health(running: Running) -> None:
    deadline = time.monotonic() + _HEALTHY
    while time.monotonic() < deadline:
        for child in running.processes:
            child.check()
        with suppress(httpx.HTTPError):
            if httpx.get(f"{running.url}/health", trust_env=False, timeout=5).is_success:
                return
        time.sleep(0.1)
    raise Failed(f"the API has not answered for {_HEALTHY:.0f} s; see {running.processes[0].log}")


def _bring_to_life(client: Client, running: Running) -> list[Row]:
    """Applies the examples, waits, and looks at each site."""
    documents = posted(given(EXAMPLES))
    made = ask(client, {"documents": documents, "prune": False, "allow_deletes": 0})
    changed = carry_out(client, made, _CONVERGED)
    err.print(f"{len(changed)} documents were written." if changed else "Nothing had to be changed.")
    return look(client, documents, running.host.ipv4, _CONVERGED)


def _print_events(running: Running) -> None:
    """The logs of runs as they come, until a signal ends it. A token that has expired is renewed."""
    plain("Everything runs; Ctrl-C stops it.")
    with running.connect() as client:
        seen = {str(job["id"]) for job in latest(client, 100) if job["status"] not in {"pending", "running"}}
    while True:
        with running.connect() as client, suppress(Failed):
            for line in follow_jobs(client, seen, running.pause):
                plain(line)
        running.pause()


def _refuse_taken(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            hint = "stop what listens there, or set GHOSTCP_LISTEN=127.0.0.1:PORT"
            raise Failed(f"port {port} of {host} is in use: {hint}") from None
        raise Failed(f"cannot listen on {host}:{port}: {error.strerror}") from None


class _Stopped(BaseException):
    """Somebody asked for the end."""


@contextmanager
def _stopping() -> Iterator[None]:
    """Ends what is inside at SIGINT or SIGTERM; further signals do not disturb what takes it down."""

    def end(_number: int, _frame: FrameType | None) -> None:
        _handle(_ignore)
        raise _Stopped

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    _handle(end)
    try:
        yield
    except _Stopped:
        err.print("Stopped. What was made is kept.")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _PartEnded(BaseException):
    """A part has ended: why is told by the failure."""

    def __init__(self, failure: Failed) -> None:
        super().__init__()
        self.failure = failure


@contextmanager
def _watching(parts: Sequence[children.Child]) -> Iterator[None]:
    """Raises Failed as soon as one of the parts has ended, whatever is waited for inside."""

    def look(_number: int, _frame: FrameType | None) -> None:
        try:
            for part in parts:
                part.check()
        except Failed as failure:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            raise _PartEnded(failure) from None

    before = signal.signal(signal.SIGCHLD, look)
    try:
        yield
    except _PartEnded as ended:
        err.print(f"{ended.failure.lines[0].partition(';')[0]}: everything is stopped.", markup=False)
        raise ended.failure from None
    finally:
        signal.signal(signal.SIGCHLD, before)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """While things are taken down, nobody may interrupt."""


def _handle(handler: Callable[[int, FrameType | None], None]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handler)
