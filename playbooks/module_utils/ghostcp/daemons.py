"""What shows that a daemon has loaded its configuration, and where it says why it has not."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from . import bind
from .host import Host

Witnesses = frozenset[str]
Load = Callable[[Host, "str | None"], str]
"""Has a daemon load what is live, given the tree that it has loaded (None: not known); what went wrong, or nothing."""


def _workers(pid: int) -> Witnesses:
    """The nginx workers that take requests: a reload is done when there are new ones and no old ones."""
    found = set()
    for child in _read(f"/proc/{pid}/task/{pid}/children").split():
        title = _read(f"/proc/{child}/cmdline")
        if "worker process" in title and "shutting down" not in title:
            found.add(child)
    return frozenset(found)


def _image(pid: int) -> Witnesses:
    """The addresses of the running program: php-fpm reloads by executing itself anew, as the same process."""
    data = _read(f"/proc/{pid}/auxv")
    return frozenset({data}) if data else frozenset()


def _always(_pid: int) -> Witnesses:
    """Of a daemon that we do not know, systemd's word is enough: something new each time."""
    return frozenset({os.urandom(8).hex()})


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read().decode("latin-1")
    except (FileNotFoundError, ProcessLookupError):
        return ""


@dataclass(frozen=True, slots=True)
class Daemon:
    """One kind of daemon: `witnesses` are all others when it has loaded; of its log, what is fatal and good.

    The patterns match whole lines from their start, where no tenant's words can stand.
    `reload` is what to tell systemctl: nginx's own command would only judge the configuration once more. One that can
    `load` in part is told what it has loaded; `prepare` is done before it starts, given what it had loaded. `blame` are
    the files that are to blame for what it says went wrong.
    """

    unit: re.Pattern[str]
    witnesses: Callable[[int], Witnesses]
    log: str = ""
    alarm: re.Pattern[str] | None = None
    ready: re.Pattern[str] | None = None
    reload: tuple[str, ...] = ("reload-or-restart",)
    load: Load | None = None
    prepare: Callable[[Host, "str | None"], None] | None = None
    blame: Callable[[str], frozenset[str]] | None = None


@dataclass(frozen=True, slots=True)
class News:
    """What a daemon's log says since it was asked to load: its complaints, and whether it is ready."""

    complaint: str = ""
    ready: bool = True


DAEMONS = (
    Daemon(
        re.compile(r"nginx\Z"),
        _workers,
        "/var/log/nginx/error.log",
        re.compile(r"^[0-9/]+ [0-9:]+ \[emerg\] .*$", re.MULTILINE),
        reload=("kill", "--kill-whom=main", "--signal=HUP"),
    ),
    Daemon(
        re.compile(r"php(\d+\.\d+)-fpm\Z"),
        _image,
        "/var/log/php{0}-fpm.log",
        re.compile(r"^\[[0-9A-Za-z: -]+\] (?:ERROR|ALERT): .*$", re.MULTILINE),
        re.compile(r"^\[[0-9A-Za-z: -]+\] NOTICE: ready to handle connections$", re.MULTILINE),
    ),
    Daemon(re.compile(r"named\Z"), _always, load=bind.load, prepare=bind.prepare, blame=bind.blame),
)


def of(name: str) -> Daemon:
    for daemon in DAEMONS:
        match = daemon.unit.match(name)
        if match:
            return replace(daemon, log=daemon.log.format(*match.groups()))
    return Daemon(re.compile(re.escape(name)), _always)


def lasting(name: str, pid: int) -> Witnesses:
    """What stays as long as the daemon does not load again; nothing is known of one that we do not know."""
    daemon = of(name)
    return frozenset() if daemon.witnesses is _always else daemon.witnesses(pid)


def log_size(host: Host, daemon: Daemon) -> int:
    try:
        return os.stat(host.path(daemon.log)).st_size if daemon.log else 0
    except FileNotFoundError:
        return 0


def news(host: Host, daemon: Daemon, offset: int) -> News:
    """What the log has got since it was `offset` bytes long; without a log, nothing speaks against it."""
    if daemon.alarm is None:
        return News()
    try:
        with open(host.path(daemon.log), "rb") as file:
            file.seek(offset)
            text = file.read(1 << 20).decode(errors="replace")
    except FileNotFoundError:
        return News()
    ready = daemon.ready is None or bool(daemon.ready.search(text))
    return News("\n".join(daemon.alarm.findall(text)), ready)


def journal(host: Host, name: str, seconds: float) -> str:
    """The last words of the unit in the journal."""
    since = f"--since=-{int(seconds) + 1}s"
    argv = [
        "journalctl",
        "--quiet",
        "--no-pager",
        "--output=cat",
        since,
        "--lines=5",
        f"--unit={name}.service",
    ]
    status, output = host.run(argv, 15.0)
    return output if status == 0 else ""
