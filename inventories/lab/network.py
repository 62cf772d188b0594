"""The network of a lab: a bridge with a free IPv4 subnet and an IPv6 ULA (RFC 4193), masqueraded."""

import hashlib
import json
import shlex
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from inventories.lab.faults import LabUnavailable
from inventories.lab.host import Lab
from inventories.lab.process import RUNTIME, attempt, locked, run, write

_POOL = IPv4Network("10.213.0.0/16")
_FIRST = 10
_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
_FORWARDING_WAS = RUNTIME / "ip_forward"
_LOCK = RUNTIME / "network.lock"
_CHAINS = (("filter", "FORWARD"), ("nat", "POSTROUTING"))


@dataclass(frozen=True, slots=True)
class Network:
    """The addresses of a lab; the controller is the first of each, hosts follow from the eleventh on."""

    ipv4: IPv4Network
    ipv6: IPv6Network

    @property
    def gateways(self) -> tuple[str, str]:
        return str(self.ipv4[1]), str(self.ipv6[1])

    def addresses(self, index: int) -> tuple[str, str]:
        return str(self.ipv4[_FIRST + index]), str(self.ipv6[_FIRST + index])


def find(lab: Lab) -> Network | None:
    """The network that the bridge of `lab` carries now."""
    for link in _ip("address", "show"):
        if link.get("ifname") == lab.bridge:
            for address in link["addr_info"]:
                if address["family"] == "inet":
                    own = IPv4Interface(f"{address['local']}/{address['prefixlen']}")
                    return Network(own.network, _ula(lab))
    return None


def recorded(lab: Lab) -> Network | None:
    """The network that `lab` had when it last was up."""
    with suppress(FileNotFoundError):
        return Network(IPv4Network(lab.subnet_record.read_text()), _ula(lab))
    return None


def ensure(lab: Lab) -> Network:
    """The network of `lab`, made where it is missing: the one that it had before, if that is still free."""
    with locked(_LOCK):
        network = find(lab) or Network(_free(recorded(lab)), _ula(lab))
        write(lab.subnet_record, str(network.ipv4))
        _ip_quietly("link", "add", lab.bridge, "type", "bridge", "stp_state", "0")
        run(
            ["ip", "address", "replace", f"{network.gateways[0]}/{network.ipv4.prefixlen}", "dev", lab.bridge]
        )
        run(["ip", "address", "replace", f"{network.gateways[1]}/64", "dev", lab.bridge, "nodad"])
        run(["ip", "link", "set", lab.bridge, "up"])
        if _FORWARDING.read_text().strip() == "0":
            write(_FORWARDING_WAS, "0")
            _FORWARDING.write_text("1")
        _masquerade(lab, network)
    return network


def attach(lab: Lab, network: Network, index: int, pid: int) -> None:
    """Plug a cable from the bridge of `lab` into the network namespace of process `pid`; set up its end."""
    ipv4, ipv6 = network.addresses(index)
    link = lab.link(index)
    _ip_quietly("link", "delete", link)
    run(["ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", str(pid)])
    run(["ip", "link", "set", link, "master", lab.bridge, "up"])
    commands = (
        "link set lo up",
        "link set eth0 up",
        f"address add {ipv4}/{network.ipv4.prefixlen} dev eth0",
        f"address add {ipv6}/64 dev eth0 nodad",
        f"route add default via {network.gateways[0]}",
        f"route add default via {network.gateways[1]}",
    )
    run(["nsenter", f"--net=/proc/{pid}/ns/net", "ip", "-batch", "-"], text="\n".join(commands) + "\n")


def plug(lab: Lab, index: int, *, up: bool) -> None:
    """Pull the cable of a host (False), or put it back (True)."""
    run(["ip", "link", "set", lab.link(index), "up" if up else "down"])


def remove(lab: Lab) -> None:
    """Take away all that `ensure` and `attach` made; the last lab to go puts forwarding back as it was."""
    with locked(_LOCK):
        links = [link["ifname"] for link in _ip("link", "show")]
        for name in links:
            if name.startswith(f"{lab.bridge}-") or name == lab.bridge:
                _ip_quietly("link", "delete", name)
        for table, chain in _CHAINS:
            for rule in _rules(lab, table, chain):
                run(["iptables", "-w", "-t", table, "-D", *rule])
        others = [name for name in links if name.startswith("gcp-") and not name.startswith(lab.bridge)]
        if not others and _FORWARDING_WAS.exists():
            _FORWARDING.write_text(_FORWARDING_WAS.read_text())
            _FORWARDING_WAS.unlink()


def _masquerade(lab: Lab, network: Network) -> None:
    ours, bridge = str(network.ipv4), lab.bridge
    wanted = {
        ("nat", "POSTROUTING"): [["-s", ours, "!", "-d", ours, "-j", "MASQUERADE"]],
        ("filter", "FORWARD"): [["-i", bridge, "-j", "ACCEPT"], ["-o", bridge, "-j", "ACCEPT"]],
    }
    for (table, chain), rules in wanted.items():
        present = _rules(lab, table, chain)
        if len(present) == len(rules):
            continue
        for stale in present:
            run(["iptables", "-w", "-t", table, "-D", *stale])
        for rule in rules:
            comment = ["-m", "comment", "--comment", _comment(lab)]
            run(["iptables", "-w", "-t", table, "-I", chain, *comment, *rule])


def _rules(lab: Lab, table: str, chain: str) -> list[list[str]]:
    """Our own rules in a chain, each as the words that follow -A or -D."""
    lines = run(["iptables", "-w", "-t", table, "-S", chain]).splitlines()
    return [words[1:] for words in map(shlex.split, lines) if _comment(lab) in words]


def _comment(lab: Lab) -> str:
    return f"ghostcp-lab {lab.id}"


def _free(preferred: Network | None) -> IPv4Network:
    """The first /24, beginning with the preferred one, that nothing on this machine has a route into."""
    taken = [_destination(route) for route in _ip("-4", "route", "show", "table", "all")]
    first = [preferred.ipv4] if preferred else []
    for candidate in (*first, *_POOL.subnets(new_prefix=24)):
        if not any(other.overlaps(candidate) for other in taken if other is not None):
            return candidate
    raise LabUnavailable(f"no free subnet in {_POOL}: take labs down, or see `ip route`")


def _destination(route: dict[str, Any]) -> IPv4Network | None:
    with suppress(ValueError):
        network = ip_network(route["dst"])
        if isinstance(network, IPv4Network) and network.prefixlen > 8:
            return network
    return None


def _ula(lab: Lab) -> IPv6Network:
    digest = hashlib.sha256(lab.id.encode()).hexdigest()
    return IPv6Network(f"fd{digest[:2]}:{digest[2:6]}:{digest[6:10]}::/64")


def _ip(*words: str) -> Iterable[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(["ip", "-j", *words]) or "[]")
    return [item for item in found if item]


def _ip_quietly(*words: str) -> None:
    attempt(["ip", *words])
