"""Control groups of lab hosts: the truth of which processes belong to which host.

A host needs a group in cgroup2 and, on machines that still have it, in the named hierarchy of systemd.
"""

import os
import select
import signal
import time
from contextlib import suppress
from pathlib import Path

from inventories.lab.faults import LabFailed, LabUnavailable


def hierarchies() -> tuple[Path, ...]:
    """Where cgroup2, first, and the named hierarchy of systemd, if any, are mounted."""
    unified, named = [], []
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        if kind == "cgroup2":
            unified.append(Path(where))
        elif kind == "cgroup" and "name=systemd" in options.split(","):
            named.append(Path(where))
    if not unified:
        raise LabUnavailable("no cgroup2 is mounted: mount -t cgroup2 none /sys/fs/cgroup")
    return (unified[0], *named[:1])


def create(group: str) -> tuple[Path, ...]:
    """The directories of `group`, made where they are missing."""
    places = tuple(top / group for top in hierarchies())
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
    return places


def populated(group: str) -> bool:
    """Whether any process lives in `group`."""
    with suppress(FileNotFoundError):
        return "populated 1" in (hierarchies()[0] / group / "cgroup.events").read_text()
    return False


def processes(group: str) -> frozenset[int]:
    """The ids of the processes in `group` and in the groups below it."""
    found: set[int] = set()
    for place, _, _ in os.walk(hierarchies()[0] / group):
        with suppress(OSError):
            found.update(map(int, (Path(place) / "cgroup.procs").read_text().split()))
    return frozenset(found)


def below(group: str) -> frozenset[str]:
    """The names of the groups in `group`, in any hierarchy."""
    places = (place for top in hierarchies() for place in (top / group).glob("*/"))
    return frozenset(place.name for place in places)


def freeze(group: str, *, frozen: bool) -> None:
    """Stop every process of `group` where it is, or let them go on."""
    (hierarchies()[0] / group / "cgroup.freeze").write_text("1" if frozen else "0")


def empty(group: str, seconds: float) -> bool:
    """Wait until nothing lives in `group` any more; False when something still does after `seconds`."""
    deadline = time.monotonic() + seconds
    try:
        events = (hierarchies()[0] / group / "cgroup.events").open()
    except FileNotFoundError:
        return True
    with events:
        changed = select.poll()
        changed.register(events, select.POLLPRI)
        while populated(group):
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return False
            changed.poll(min(remaining, 0.2) * 1000)
    return True


def remove(group: str) -> None:
    """Kill what lives in `group` and take the group away, with those below and those above left empty."""
    places = [top / group for top in hierarchies()]
    deadline = time.monotonic() + 10
    while any(place.exists() for place in places):
        if time.monotonic() > deadline:
            raise LabFailed(f"control group {group} cannot be removed: processes {sorted(processes(group))}")
        _kill(group)
        empty(group, 1)
        for place in places:
            for below, _, _ in os.walk(place, topdown=False):
                with suppress(OSError):
                    Path(below).rmdir()
    for place in places:
        for above in place.parents[:2]:
            with suppress(OSError):
                above.rmdir()


def _kill(group: str) -> None:
    with suppress(OSError):
        freeze(group, frozen=False)
    try:
        (hierarchies()[0] / group / "cgroup.kill").write_text("1")
    except OSError:
        for pid in processes(group):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
