"""Daemons: whether they run, whether they run what is live, and making them do so."""

import contextlib
import json
import math
import os
import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from . import daemons, generations
from .host import Host, write_atomically
from .wire import Handler, Observed

STATE = "/run/ghostcp"
REVISIONS = ".revisions"
RELOAD_SECONDS, SETTLE_SECONDS, COMMAND_SECONDS = 30.0, 5.0, 120.0
_UNIT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*\Z")
_SHOWN = "Id,LoadState,ActiveState,InvocationID,MainPID,ExecMainStartTimestampMonotonic"


@dataclass(frozen=True, slots=True)
class Unit:
    """What systemd says of a unit; `started` in microseconds of the monotonic clock."""

    load: str
    state: str
    invocation: str
    pid: int
    started: float

    @property
    def loaded(self) -> bool:
        return self.load == "loaded"

    @property
    def masked(self) -> bool:
        return self.load == "masked"

    @property
    def active(self) -> bool:
        return self.state in ("active", "reloading")


@dataclass(frozen=True, slots=True)
class Report:
    """What was done to a unit, and how it went."""

    action: str
    ok: bool
    message: str = ""
    seconds: float = 0.0

    def as_dict(self) -> dict[str, object]:
        return {
            "action": self.action,
            "ok": self.ok,
            "message": self.message,
            "seconds": round(self.seconds, 3),
        }


def parse(text: str) -> dict[str, Unit]:
    """Unit name (without .service) → unit, from the output of systemctl show."""
    units = {}
    for block in text.split("\n\n"):
        fields = dict(line.partition("=")[::2] for line in block.splitlines())
        if "Id" in fields:
            units[fields["Id"].removesuffix(".service")] = Unit(
                load=fields.get("LoadState", ""),
                state=fields.get("ActiveState", ""),
                invocation=fields.get("InvocationID", ""),
                pid=int(fields.get("MainPID") or 0),
                started=float(fields.get("ExecMainStartTimestampMonotonic") or 0),
            )
    return units


def show(host: Host, names: Sequence[str]) -> dict[str, Unit]:
    valid = sorted({name for name in names if _UNIT.match(name)})
    if not valid:
        return {}
    argv = ["systemctl", "show", f"--property={_SHOWN}", "--", *(f"{name}.service" for name in valid)]
    status, output = host.run(argv, COMMAND_SECONDS)
    if status != 0:
        raise OSError(f"systemctl does not answer: {output.strip()[:200]}")
    return parse(output)


def observe(host: Host, names: Sequence[str]) -> Observed:
    """Whether each is active and has loaded what is live, and that it is masked; None when it is not installed."""
    units = show(host, names)
    return {name: look(host, name, units.get(name)) for name in names}


def look(host: Host, name: str, unit: Unit | None) -> Mapping[str, bool] | None:
    if unit is None or not (unit.loaded or unit.masked):
        return None
    found = {"active": unit.active, "current": unit.active and current(host, name, unit)}
    return found | {"masked": True} if unit.masked else found


def current(host: Host, name: str, unit: Unit) -> bool:
    """Whether the running daemon has loaded the live tree: we saw it do so, or it started after the swap.

    One that has loaded again since we saw it may have loaded anything.
    """
    revision, marker = live_revision(host, name), _marker(host, name)
    if not revision:
        return True
    if marker[:2] == [revision, unit.invocation]:
        seen = set(marker[2:])
        return not seen or bool(seen & daemons.lasting(name, unit.pid))
    return unit.started > swapped(host)


def live_revision(host: Host, name: str) -> str:
    """The mark of the last change to the service's folder that is live; empty when there was none."""
    return _read(host.path(f"{generations.LIVE}/{REVISIONS}/{name}"))


def _marker(host: Host, name: str) -> list[str]:
    with contextlib.suppress(ValueError):
        marker = json.loads(_read(host.path(f"{STATE}/loaded/{name}")) or "{}")
        return [str(marker.get("revision")), str(marker.get("invocation")), *marker.get("witnesses", ())]
    return []


def swapped(host: Host) -> float:
    """When the live link was turned, as `Unit.started`; 0 if not since boot, infinite if it may be now."""
    text = _read(host.path(f"{STATE}/swapped"))
    if not text:
        return 0.0
    return float(text) if re.fullmatch(r"[0-9.]+", text) else math.inf


def note_swap(host: Host, *, done: bool) -> None:
    """Record that the live link is about to be turned, or has been."""
    text = str(int(time.monotonic() * 1e6)) if done else "pending"
    write_atomically(_state(host, "swapped"), text.encode(), durable=False)


def note_loaded(host: Host, name: str, unit: Unit) -> None:
    """Record that the unit, in this life of it, has loaded what is live."""
    marker = {
        "revision": live_revision(host, name),
        "invocation": unit.invocation,
        "generation": generations.live_number(host),
        "witnesses": sorted(daemons.lasting(name, unit.pid)),
    }
    write_atomically(_state(host, f"loaded/{name}"), json.dumps(marker).encode(), durable=False)


def remember(host: Host, names: Sequence[str]) -> None:
    """Note which daemons are current now, before a swap makes their start time say nothing."""
    for name, unit in show(host, names).items():
        if unit.loaded and unit.active and live_revision(host, name) and current(host, name, unit):
            note_loaded(host, name, unit)


def _state(host: Host, name: str) -> str:
    path = host.path(f"{STATE}/{name}")
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    return path


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""


def bring_up(host: Host, names: Sequence[str], wanted: frozenset[str]) -> dict[str, Report]:
    """Start what is wanted and does not run, reload what does not run what is live; all at the same time."""
    if not names:
        return {}
    units = show(host, names)
    with ThreadPoolExecutor(len(names)) as pool:
        reports = pool.map(lambda name: _bring_up(host, name, units.get(name), name in wanted), names)
        return dict(zip(names, reports, strict=True))


def load(host: Host, names: Sequence[str]) -> dict[str, Report]:
    """Have each load what is live, whatever it has loaded before, and let a failed attempt come to its end first."""
    deadline = time.monotonic() + SETTLE_SECONDS
    reports: dict[str, Report] = {}
    for name, unit in show(host, names).items():
        reports[name] = _load(host, name, unit)
        while not reports[name].ok and time.monotonic() < deadline:
            time.sleep(0.2)
            reports[name] = _load(host, name, show(host, [name]).get(name, unit))
    return reports


def _bring_up(host: Host, name: str, unit: Unit | None, wanted: bool) -> Report:
    if unit is None or not unit.loaded:
        return Report("none", not wanted, _absence(name, unit))
    if unit.active and current(host, name, unit):
        return Report("none", True)
    if not unit.active and not wanted:
        return Report("none", True, f"{name} does not run: it loads its configuration when it starts")
    return _load(host, name, unit)


def _absence(name: str, unit: Unit | None) -> str:
    """Why a unit that is wanted cannot be started."""
    if unit is not None and unit.masked:
        return f"{name} is masked on this host: systemctl unmask {name}"
    return f"{name} is not installed on this host: install it first"


def _load(host: Host, name: str, before: Unit) -> Report:
    action, started = ("reload" if before.active else "start"), time.monotonic()
    daemon = daemons.of(name)
    witnesses, offset = daemon.witnesses(before.pid), daemons.log_size(host, daemon)
    words = daemon.reload if before.active else ("reload-or-restart",)
    status, output = host.run(["systemctl", *words, "--", f"{name}.service"], COMMAND_SECONDS)
    problem, after = output.strip() if status != 0 else "", before
    while not problem:
        after, news = show(host, [name]).get(name, before), daemons.news(host, daemon, offset)
        now = daemon.witnesses(after.pid)
        if _loaded(before, after, news.ready and bool(now) and not now & witnesses):
            break
        late = time.monotonic() > started + RELOAD_SECONDS
        if late or news.complaint or after.state in ("failed", "inactive"):
            problem = f"{name} is {after.state} and has not loaded its configuration"
        else:
            time.sleep(0.02)
    seconds = time.monotonic() - started
    if problem:
        said = daemons.news(host, daemon, offset).complaint or daemons.journal(host, name, seconds) or problem
        return Report(action, False, " ".join(said.split())[:500], seconds)
    note_loaded(host, name, after)
    return Report(action, True, "", seconds)


def _loaded(before: Unit, after: Unit, seen: bool) -> bool:
    """Whether the unit runs again, and was seen to load or is another life of it."""
    return after.state == "active" and (seen or after.invocation != before.invocation)


HANDLER = Handler(observe)
