"""Where a request came from: what proxies say of it is believed of those that are known, and of nobody else; pure."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
_PREFIX = 64


def believed(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """The address of the last hop that is none of our proxies, which everybody behind it could have made up.

    `peer` is who is connected, `forwarded` the values of ``X-Forwarded-For`` in the order they came. Each
    proxy appends whom it has heard, so that they are read from the right, as long as trusted ones speak.
    """
    address = normal(peer)
    if not forwarded or not within(address, trusted):
        return address
    for hop in reversed(",".join(forwarded).split(",")):
        said = normal(_host(hop))
        if not said:
            return address
        address = said
        if not within(address, trusted):
            return address
    return address


@lru_cache(4096)
def normal(text: str) -> str:
    """An address in its one spelling, IPv4 in IPv6 as IPv4; empty when it is none."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def within(address: str, networks: Sequence[Network]) -> bool:
    """Whether an address is in one of the networks."""
    if not networks or not address:
        return False
    parsed = ip_address(address)
    return any(parsed in network for network in networks)


@lru_cache(4096)
def counted(address: str) -> str:
    """What an address is counted as: one customer's IPv6 network is one, however many addresses it has."""
    if not address:
        return "unknown"
    parsed = ip_address(address)
    if isinstance(parsed, IPv4Address):
        return address
    return str(ip_network((parsed, _PREFIX), strict=False))


def _host(hop: str) -> str:
    """A hop without its port, which some proxies write."""
    hop = hop.strip()
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
