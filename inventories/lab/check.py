"""Whether this machine can run lab hosts, and what to do if it cannot."""

import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path

from inventories.lab import cgroup, debian
from inventories.lab.faults import LabUnavailable
from inventories.lab.process import attempt

_TOOLS = {
    "mmdebstrap": "mmdebstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "iptables": "iptables",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "nsenter": "util-linux",
    "mount": "mount",
}


def check(var: Path | None = None) -> None:
    """Raise LabUnavailable, with the reason, unless labs can run here; `var` is where they would be kept."""
    if platform.system() != "Linux":
        raise LabUnavailable(f"lab hosts need Linux, and this is {platform.system()}")
    if os.geteuid():
        raise LabUnavailable("lab hosts need root: run this with sudo")
    for tool, package in _TOOLS.items():
        if shutil.which(tool) is None:
            raise LabUnavailable(f"{tool} is missing: apt-get install {package}")
    if not Path(debian.KEYRING).exists():
        raise LabUnavailable("Debian's archive keys are missing: apt-get install debian-archive-keyring")
    if not (Path(sys.executable).parent / "ansible-playbook").exists():
        raise LabUnavailable(f"ansible-playbook is missing beside {sys.executable}: pip install ansible-core")
    if not attempt(["unshare", "--mount", "--net", "--pid", "--fork", "true"]):
        raise LabUnavailable("root cannot make namespaces here (a container without privileges?)")
    _check_cgroups()
    _check_overlay(var)


def _check_cgroups() -> None:
    probe = f"ghostcp-lab/probe-{os.getpid()}"
    try:
        cgroup.create(probe)
        cgroup.remove(probe)
    except OSError as error:
        raise LabUnavailable(f"control groups cannot be made here: {error}") from error


def _check_overlay(var: Path | None) -> None:
    if var is not None:
        var.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=var, prefix=".overlay-") as directory:
        for name in ("lower", "upper", "work", "root"):
            (Path(directory) / name).mkdir()
        layers = (
            f"lowerdir={directory}/lower,upperdir={directory}/upper,workdir={directory}/work,redirect_dir=on"
        )
        probe = ["unshare", "--mount", "mount", "-t", "overlay", "probe", "-o", layers, f"{directory}/root"]
        if not attempt(probe):
            raise LabUnavailable(f"overlayfs cannot be mounted on {directory}: use one on ext4, xfs or btrfs")
