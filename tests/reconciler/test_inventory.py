"""What an inventory says of hosts as name servers."""

from pathlib import Path
from typing import Any

import pytest

from reconciler.inventory import name_server, read_inventory
from state.errors import Unreadable
from state.zones.secondaries import NameServer

HOSTS = ("web1", "web2")


def test_hosts_and_what_is_said_of_all_of_them(tmp_path: Path) -> None:
    place = tmp_path / "hosts.yml"
    place.write_text(
        "---\nghostcp_hosts:\n  hosts:\n    web1: {ansible_host: 192.0.2.1}\n"
        "    web2: {ghostcp_dns_address: '2001:DB8::2'}\n  vars:\n    ghostcp_dns_secondaries: [web2]\n"
    )
    found = read_inventory(place)
    assert found.addresses == {"web1": "192.0.2.1", "web2": "web2"}
    assert found.servers == {"web1": NameServer(("web2",)), "web2": NameServer((), "2001:db8::2")}


def test_an_inventory_that_is_not_there_or_has_no_host_is_not_an_empty_one(tmp_path: Path) -> None:
    place = tmp_path / "hosts.yml"
    with pytest.raises(Unreadable, match="could not be read"):
        read_inventory(place)
    place.write_text("---\nall:\n  hosts:\n    web1:\n")
    with pytest.raises(Unreadable, match="no host in the group ghostcp_hosts"):
        read_inventory(place)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({}, NameServer()),
        ({"ghostcp_dns_secondaries": ["web2", "web2"]}, NameServer(("web2",))),
        ({"ghostcp_dns_secondaries": ["web1"]}, NameServer()),
        ({"ghostcp_dns_address": "192.0.2.1"}, NameServer((), "192.0.2.1")),
    ],
)
def test_a_host_is_never_its_own_secondary(said: dict[str, Any], found: NameServer) -> None:
    assert name_server("web1", said, HOSTS) == found


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"ghostcp_dns_secondaries": "web2"}, "is no list of hosts"),
        ({"ghostcp_dns_secondaries": [2]}, "is no list of hosts"),
        ({"ghostcp_dns_secondaries": ["web3"]}, "names 'web3', which is no host"),
        ({"ghostcp_dns_address": "ns.example.net"}, "is no IP address"),
        ({"ghostcp_dns_address": "192.0.2.1; }; evil"}, "is no IP address"),
    ],
)
def test_what_is_wrong_is_said_with_the_host(said: dict[str, Any], words: str) -> None:
    with pytest.raises(Unreadable, match=words) as raised:
        name_server("web1", said, HOSTS)
    assert "web1" in str(raised.value)
