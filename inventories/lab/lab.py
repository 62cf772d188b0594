"""The verbs of a lab: up, down, status, and what tests do to its hosts."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from inventories.lab import cgroup, hosts, image, machine, network
from inventories.lab.check import check
from inventories.lab.host import Lab, LabHost
from inventories.lab.process import locked


def default_var() -> Path:
    """Where labs are kept unless a caller says otherwise: $GHOSTCP_VAR, or else ./var."""
    return Path(os.environ.get("GHOSTCP_VAR", "var"))


def _silent(_: str) -> None:
    pass


def up(
    name: str, count: int = 1, *, var: Path, progress: Callable[[str], None] = _silent
) -> tuple[LabHost, ...]:
    """All hosts of the lab `name`, at least `count`, booted and bootstrapped; repeating it changes nothing.

    Raises LabUnavailable when this machine cannot run labs, LabFailed when a step fails.
    """
    check(var)
    lab = Lab(name, var)
    layers = image.ensure(progress)
    with locked(lab.lock):
        progress(f"Booting lab {name}")
        running = hosts.ensure(lab, count, layers)
    progress(f"Lab {name} is up: {', '.join(f'{host.name} {host.ipv4}' for host in running)}")
    return running


def down(name: str, *, var: Path) -> None:
    """Leave nothing of the lab `name`; repeating it changes nothing."""
    image.sweep()
    lab = Lab(name, var)
    with locked(lab.lock):
        hosts.remove(lab)
        lab.lock.unlink()
    with suppress(OSError):
        lab.directory.parent.rmdir()


def down_all(var: Path) -> None:
    """Leave nothing of any lab that is kept under `var`."""
    for place in sorted((var / "lab").glob("*")):
        down(place.name, var=var)


def status(name: str, *, var: Path) -> tuple[LabHost, ...]:
    """The hosts of the lab `name`; the `pid` of one that does not run is None."""
    lab = Lab(name, var)
    wires = network.find(lab) or network.recorded(lab)
    return tuple(machine.describe(lab, wires, index) for index in machine.known(lab)) if wires else ()


def cut(host: LabHost) -> None:
    """Pull the network cable of a host."""
    network.plug(host.lab, host.index, up=False)


def restore(host: LabHost) -> None:
    """Put the network cable of a host back."""
    network.plug(host.lab, host.index, up=True)


def freeze(host: LabHost) -> None:
    """Stop every process of a host where it is: it keeps its connections and never answers."""
    cgroup.freeze(host.lab.cgroup(host.index), frozen=True)


def thaw(host: LabHost) -> None:
    """Let a frozen host go on."""
    cgroup.freeze(host.lab.cgroup(host.index), frozen=False)
