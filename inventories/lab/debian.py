"""Where Debian comes from: the mirror that this machine's own apt is configured to use."""

import os
import re
import shlex

from inventories.lab.faults import LabUnavailable
from inventories.lab.process import run

SUITE = "trixie"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
PACKAGES = (
    "ca-certificates",
    "dbus",
    "iproute2",
    "openssh-server",
    "python3",
    "python3-apt",
    "systemd",
    "systemd-sysv",
)

_FORMAT = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
_SUITES = re.compile(r"(buster|bullseye|bookworm|trixie|forky|sid|(old)*stable|testing|unstable)\Z")


def mirror() -> str:
    """The address of the Debian mirror: GHOSTCP_MIRROR, or else the first that apt knows."""
    chosen = os.environ.get("GHOSTCP_MIRROR")
    if chosen:
        return chosen.rstrip("/")
    for line in run(["apt-get", "indextargets", "--format", _FORMAT, "Created-By: Packages"]).splitlines():
        address, suite, component = line.split()
        if component == "main" and _SUITES.match(suite):
            return address.rstrip("/")
    raise LabUnavailable("apt knows no Debian mirror here: set GHOSTCP_MIRROR to the address of one")


def proxy() -> str | None:
    """The HTTP proxy that apt uses on this machine."""
    for line in run(["apt-config", "shell", "found", "Acquire::http::Proxy"]).splitlines():
        return shlex.split(line)[0].partition("=")[2] or None
    return None
