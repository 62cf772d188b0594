"""What a host is and has, read from its files without starting a program."""

import glob
import ipaddress
import os
import re
import socket

from . import accounts
from .host import Host


def gather(host: Host) -> dict[str, object]:
    return {
        "hostname": socket.gethostname(),
        "os": _field(_read(host, "/etc/os-release"), "PRETTY_NAME"),
        "php": php(host),
        "nginx": version(_read(host, "/var/lib/dpkg/status"), "nginx"),
        "ipv4": ipv4(_read(host, "/proc/net/fib_trie")),
        "ipv6": ipv6(_read(host, "/proc/net/if_inet6")),
        "shells": [line for line in _read(host, "/etc/shells").splitlines() if line.startswith("/")],
        "system_accounts": accounts.others(host),
    }


def _read(host: Host, path: str) -> str:
    try:
        with open(host.path(path), encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _field(text: str, name: str) -> str:
    match = re.search(rf'^{name}="?([^"\n]*)', text, re.MULTILINE)
    return match.group(1) if match else ""


def php(host: Host) -> list[str]:
    """The PHP versions whose FPM is installed, oldest first."""
    found = [os.path.basename(path)[7:] for path in glob.glob(host.path("/usr/sbin/php-fpm*"))]
    versions = [name for name in found if re.fullmatch(r"\d+\.\d+", name)]
    return sorted(versions, key=lambda name: [int(part) for part in name.split(".")])


def version(status: str, package: str) -> str | None:
    """The upstream version of an installed package, from dpkg's status file."""
    start = f"\n{status}".find(f"\nPackage: {package}\n")
    block = status[max(start, 0) :].split("\n\n", 1)[0] if start >= 0 else ""
    if not re.search(r"^Status: \S+ \S+ installed$", block, re.MULTILINE):
        return None
    found = re.search(r"^Version: (?:[0-9]+:)?([^-\n]+)", block, re.MULTILINE)
    return found.group(1) if found else None


def ipv4(trie: str) -> list[str]:
    """The host's own addresses that are not loopback, from /proc/net/fib_trie."""
    found = re.findall(r"\|-- ([0-9.]+)\n\s+/32 host LOCAL", trie)
    return sorted({address for address in found if not ipaddress.ip_address(address).is_loopback})


def ipv6(table: str) -> list[str]:
    """The host's global addresses, from /proc/net/if_inet6."""
    rows = [line.split() for line in table.splitlines()]
    found = {
        str(ipaddress.ip_address(bytes.fromhex(row[0]))) for row in rows if len(row) == 6 and row[3] == "00"
    }
    return sorted(found)
