"""The hosts of one lab, brought up and taken away together."""

import secrets
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from inventories.lab import inventory, machine, network, ssh
from inventories.lab.faults import LabUnavailable
from inventories.lab.host import Lab, LabHost
from inventories.lab.network import Network
from inventories.lab.process import write

_RESOLVERS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
_HOST_KEY = "etc/ssh/ssh_host_ed25519_key"
_SEEDED = (
    *("etc/hostname", "etc/hosts", "etc/machine-id", "etc/resolv.conf"),
    *("root/.ssh/authorized_keys", _HOST_KEY, f"{_HOST_KEY}.pub"),
)


def ensure(lab: Lab, count: int, layers: Sequence[Path]) -> tuple[LabHost, ...]:
    """At least `count` booted hosts; those that run are left alone, those that ended are booted again."""
    wires = network.ensure(lab)
    indices = sorted({*machine.known(lab), *range(1, count + 1)})
    public = ssh.ensure_key(lab.key, f"ghostcp-lab {lab.name}")
    described = [machine.describe(lab, wires, index) for index in indices]
    keys = {host.index: ssh.ensure_key(host.directory / "host_key", host.name) for host in described}
    write(lab.known_hosts, inventory.known_hosts(described, keys))
    write(lab.inventory, inventory.render(described))
    for host in described:
        if host.pid is None:
            _boot(host, wires, public, layers)
    running = tuple(machine.describe(lab, wires, index) for index in indices)
    for host in running:
        ssh.wait(host)
    return running


def _boot(host: LabHost, wires: Network, public: str, layers: Sequence[Path]) -> None:
    lab, index = host.lab, host.index
    machine.stop(lab, [index])
    if not machine.recorded_layers(lab, index):
        for name in ("upper", "work"):
            shutil.rmtree(host.directory / name, ignore_errors=True)
        machine.record_layers(lab, index, layers)
    _seed(host, public)
    machine.start(lab, wires, index, machine.recorded_layers(lab, index))


def _seed(host: LabHost, public: str) -> None:
    """Write what makes a clone a host of its own; every place must be one of `_SEEDED`."""
    upper = host.directory / "upper"
    for place, mode in (("etc/ssh", 0o755), ("root/.ssh", 0o700)):
        (upper / place).mkdir(parents=True, exist_ok=True)
        (upper / place).chmod(mode)
    (upper / "root").chmod(0o700)
    key = host.directory / "host_key"
    machine_id = upper / "etc/machine-id"
    write(upper / "etc/hostname", f"{host.name}\n")
    addresses = (
        "127.0.0.1 localhost",
        "::1 localhost",
        f"{host.ipv4} {host.name}",
        f"{host.ipv6} {host.name}",
    )
    write(upper / "etc/hosts", "".join(f"{line}\n" for line in addresses))
    write(upper / "etc/resolv.conf", _resolvers())
    write(upper / "root/.ssh/authorized_keys", f"{public}\n", 0o600)
    write(upper / _HOST_KEY, key.read_text(), 0o600)
    write(upper / f"{_HOST_KEY}.pub", key.with_name("host_key.pub").read_text())
    if not machine_id.exists():
        write(machine_id, f"{secrets.token_hex(16)}\n", 0o444)


def seeded(upper: Path) -> Iterable[Path]:
    """The files in the writable layer of a host that are its alone."""
    return (upper / place for place in _SEEDED)


def _resolvers() -> str:
    """The controller's name servers, as far as other hosts can reach them."""
    for source in _RESOLVERS:
        if source.exists():
            lines = source.read_text().splitlines()
            usable = [line for line in lines if not line.startswith(("nameserver 127.", "nameserver ::1"))]
            if any(line.startswith("nameserver") for line in usable):
                return "\n".join(usable) + "\n"
    raise LabUnavailable("the name servers here are all on loopback: name another in /etc/resolv.conf")


def halt(lab: Lab) -> None:
    """Shut all hosts of `lab` down and keep their files."""
    ssh.hang_up(lab)
    machine.stop(lab, machine.known(lab))


def remove(lab: Lab) -> None:
    """Leave nothing of `lab`: processes, control groups, devices, rules, files."""
    halt(lab)
    network.remove(lab)
    if lab.directory.exists():
        shutil.rmtree(lab.directory)
