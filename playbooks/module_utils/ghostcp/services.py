"""Daemons: whether they run, whether they run what is live, and what is known of that."""

import contextlib
import json
import math
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from . import daemons, generations
from .host import Host, write_atomically
from .wire import Handler, Observed

STATE = "/run/ghostcp"
REVISIONS = ".revisions"
COMMAND_SECONDS = 120.0
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


def loaded_tree(host: Host, name: str, unit: Unit | None = None) -> str | None:
    """The tree that the unit, in this life of it (None: in any), was last seen to load; None when that is not known or
    gone."""
    with contextlib.suppress(ValueError):
        marker = json.loads(_read(host.path(f"{STATE}/loaded/{name}")) or "{}")
        tree = generations.folder(host, int(marker.get("generation", 0)))
        if (unit is None or marker.get("invocation") == unit.invocation) and os.path.isdir(tree):
            return tree
    return None


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


HANDLER = Handler(observe)
