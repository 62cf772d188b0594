"""Which hosts are managed: those of the group ``ghostcp_hosts`` in an Ansible inventory; and who copies whose zones."""

import json
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from state.errors import Unreadable
from state.zones.secondaries import NameServer

GROUP = "ghostcp_hosts"
SECONDARIES, ADDRESS = "ghostcp_dns_secondaries", "ghostcp_dns_address"


@dataclass(frozen=True, slots=True)
class Inventory:
    """Addresses and name servers by host name."""

    addresses: Mapping[str, str]
    servers: Mapping[str, NameServer]


def read_inventory(path: Path) -> Inventory:
    """The managed hosts. Raises Unreadable when there is no such inventory or group, or it is empty or wrong."""
    program = str(Path(sys.executable).parent / "ansible-inventory")
    result = subprocess.run(
        [program, "-i", str(path), "--list"], check=False, capture_output=True, text=True, timeout=60
    )
    if result.returncode != 0 or not path.exists():
        raise Unreadable(f"the inventory {path} could not be read: {result.stderr.strip()[-500:]}")
    data = json.loads(result.stdout)
    variables = data.get("_meta", {}).get("hostvars", {})
    hosts = data.get(GROUP, {}).get("hosts", [])
    if not hosts:
        raise Unreadable(f"the inventory {path} has no host in the group {GROUP}")
    addresses = {name: str(variables.get(name, {}).get("ansible_host", name)) for name in hosts}
    servers = {name: name_server(name, variables.get(name, {}), addresses) for name in hosts}
    return Inventory(addresses, servers)


def name_server(name: str, variables: Mapping[str, Any], hosts: Collection[str]) -> NameServer:
    """What a host's variables say of it as a name server; it is never its own secondary. Raises Unreadable."""
    secondaries = variables.get(SECONDARIES) or []
    if not isinstance(secondaries, list) or not all(isinstance(each, str) for each in secondaries):
        raise Unreadable(f"{SECONDARIES} of {name} is no list of hosts: write it as [ns2.example.net]")
    for each in secondaries:
        if each not in hosts:
            raise Unreadable(f"{SECONDARIES} of {name} names {each!r}, which is no host of the group {GROUP}")
    address = str(variables.get(ADDRESS) or "")
    try:
        address = str(ip_address(address)) if address else ""
    except ValueError:
        raise Unreadable(f"{ADDRESS} of {name} is no IP address: {address!r}") from None
    return NameServer(tuple(dict.fromkeys(each for each in secondaries if each != name)), address)
