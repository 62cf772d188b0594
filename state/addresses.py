"""Which addresses may be called on behalf of tenants: public ones, and those that the operator allows; pure.

After IANA's registries of special-purpose addresses (RFC 6890), and what clouds serve their metadata at.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

_SPECIAL_4 = """
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
    192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
"""
_SPECIAL_6 = "2001::/23 2001:db8::/32 2002::/16 3fff::/20"
_SPECIAL = tuple(ip_network(text) for text in f"{_SPECIAL_4} {_SPECIAL_6}".split())
_UNICAST_6 = IPv6Network("2000::/3")  # all that is given out of IPv6
_TRANSLATED = IPv6Network(
    "64:ff9b::/96"
)  # RFC 6052: how hosts that have only IPv6 reach those with only IPv4


def may_be_called(text: str, allowed: Iterable[Network] = ()) -> bool:
    """Whether the address is public, or in a network that is `allowed`. Raises ValueError when it is no address."""
    address = ip_address(text.partition("%")[0])
    meant = _carried(address) or address
    return any(address in network or meant in network for network in allowed) or _public(meant)


def _public(address: IPv4Address | IPv6Address) -> bool:
    given_out = address.version == 4 or address in _UNICAST_6
    return given_out and not any(address in network for network in _SPECIAL)


def _carried(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address that packets to this IPv6 address end up at."""
    if isinstance(address, IPv4Address):
        return None
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped
