"""Whose word on addresses is believed."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.address import Network, believed, counted, normal

TRUSTED: tuple[Network, ...] = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
PROXY, STRANGER = "10.0.0.1", "203.0.113.9"
proxies = st.sampled_from(["10.0.0.1", "10.9.9.9", "fd00::1"])
strangers = st.one_of(
    st.ip_addresses(network="203.0.113.0/24"),
    st.ip_addresses(network="2001:db8::/32"),
).map(str)
junk = st.lists(st.one_of(proxies, strangers, st.text("0123456789abcdef.:[]%, \t", max_size=30)), max_size=6)


@given(strangers, junk)
def test_a_stranger_is_not_believed(peer: str, said: list[str]) -> None:
    assert believed(peer, said, TRUSTED) == normal(peer)


@given(junk)
def test_nobody_is_believed_when_no_proxy_is_known(said: list[str]) -> None:
    assert believed(PROXY, said, ()) == PROXY


@given(junk, strangers, st.lists(proxies, max_size=3), proxies)
def test_what_comes_before_the_first_stranger_is_never_believed(
    said: list[str], client: str, between: list[str], peer: str
) -> None:
    chain = [", ".join([client, *between])]
    assert believed(peer, [*said, *chain], TRUSTED) == normal(client)


@given(proxies, junk)
def test_the_address_is_one(peer: str, said: list[str]) -> None:
    address = believed(peer, said, TRUSTED)
    assert address == normal(address) != ""


@pytest.mark.parametrize(
    ("said", "address"),
    [
        (["203.0.113.9"], "203.0.113.9"),
        (["203.0.113.9:4711"], "203.0.113.9"),
        (["[2001:db8::1]:4711"], "2001:db8::1"),
        (["2001:DB8:0::1"], "2001:db8::1"),
        (["::ffff:203.0.113.9"], "203.0.113.9"),
        (["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
        (["198.51.100.1", "203.0.113.9, 10.0.0.7"], "203.0.113.9"),
        (["10.0.0.7"], "10.0.0.7"),
        (["unknown"], PROXY),
        (["203.0.113.9, unknown, 10.0.0.7"], "10.0.0.7"),
        ([""], PROXY),
        ([], PROXY),
    ],
)
def test_a_known_proxy_says_who_asked_it(said: list[str], address: str) -> None:
    assert believed(PROXY, said, TRUSTED) == address


def test_a_peer_without_an_address_has_none() -> None:
    assert believed("", [STRANGER], TRUSTED) == ""
    assert counted("") == "unknown"


@given(st.ip_addresses(network="2001:db8:0:7::/64").map(str))
def test_one_ipv6_network_is_counted_as_one(address: str) -> None:
    assert counted(address) == "2001:db8:0:7::/64"


@given(st.ip_addresses(v=4).map(str))
def test_ipv4_addresses_are_counted_one_by_one(address: str) -> None:
    assert counted(address) == address
