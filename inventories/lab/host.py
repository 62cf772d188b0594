"""What is known of a lab and of one of its hosts: names, addresses, places on disk."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from inventories.lab.process import RUNTIME

_NAME = re.compile(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?\Z")


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab is its name and the directory that its state lives under; all else follows from them."""

    name: str
    var: Path

    def __post_init__(self) -> None:
        if not _NAME.match(self.name):
            raise ValueError(f"{self.name!r} is no name for a lab: use a-z, 0-9 and -, as in a host name")

    @property
    def id(self) -> str:
        """Six hex digits that tell this lab's devices, cgroups and rules from those of any other."""
        return hashlib.sha256(f"{self.var.resolve()}/{self.name}".encode()).hexdigest()[:6]

    @property
    def directory(self) -> Path:
        return self.var.resolve() / "lab" / self.name

    @property
    def inventory(self) -> Path:
        return self.directory / "inventory.yml"

    @property
    def key(self) -> Path:
        return self.directory / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        return self.directory / "known_hosts"

    @property
    def subnet_record(self) -> Path:
        return self.directory / "subnet"

    @property
    def lock(self) -> Path:
        return RUNTIME / f"{self.id}.lock"

    @property
    def bridge(self) -> str:
        return f"gcp-{self.id}"

    def host_directory(self, index: int) -> Path:
        return self.directory / "hosts" / str(index)

    def host_name(self, index: int) -> str:
        return f"{self.name}-{index}"

    def link(self, index: int) -> str:
        """The controller's end of the cable to a host."""
        return f"{self.bridge}-{index}"

    def control_path(self, index: int, user: str) -> Path:
        """The socket of the ssh connection to a host that `user`, a program, keeps open."""
        return RUNTIME / f"{self.id}-{index}.{user}"

    @property
    def cgroups(self) -> str:
        return f"ghostcp-lab/{self.id}"

    def cgroup(self, index: int) -> str:
        return f"{self.cgroups}/{index}"


@dataclass(frozen=True, slots=True)
class LabHost:
    """A Debian host of a lab. `pid` is its supervisor (systemd-nspawn), or None when it does not run."""

    name: str
    index: int
    lab: Lab
    ipv4: str
    ipv6: str
    pid: int | None

    @property
    def ssh_key(self) -> Path:
        return self.lab.key

    @property
    def inventory(self) -> Path:
        """The Ansible inventory that this host is in."""
        return self.lab.inventory

    @property
    def known_hosts(self) -> Path:
        return self.lab.known_hosts

    @property
    def directory(self) -> Path:
        return self.lab.host_directory(self.index)
