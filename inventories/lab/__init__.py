"""Labs: real Debian hosts on one Linux machine, several side by side, for trying things out and for tests."""

from inventories.lab.check import check
from inventories.lab.faults import LabFailed, LabUnavailable
from inventories.lab.host import Lab, LabHost
from inventories.lab.lab import cut, default_var, down, down_all, freeze, restore, status, thaw, up
from inventories.lab.ssh import execute as exec  # noqa: A004

__all__ = [
    "Lab",
    "LabFailed",
    "LabHost",
    "LabUnavailable",
    "check",
    "cut",
    "default_var",
    "down",
    "down_all",
    "exec",
    "freeze",
    "restore",
    "status",
    "thaw",
    "up",
]
