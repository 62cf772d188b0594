"""Which addresses and URLs may be called."""

from ipaddress import ip_network

import pytest

from state.addresses import may_be_called
from state.journal.receivers import NotPublic, checked, read_url
from state.journal.signing import key_of, new_secret

PUBLIC = """
    1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.215.14 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0
    192.167.255.255 198.17.255.255 198.20.0.0 223.255.255.255 2606:4700::1111 2a00:1450:4001::1 2001:4860:4860::8888
    ::ffff:1.1.1.1 64:ff9b::101:101
"""
SPECIAL = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254
    168.63.129.16 169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1
    192.168.0.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1
    64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:db8::1
    2002:7f00:1::1 2002:a9fe:a9fe::1 3fff::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1 5f00::1
"""


@pytest.mark.parametrize("address", PUBLIC.split())
def test_public_addresses_may_be_called(address: str) -> None:
    assert may_be_called(address)


@pytest.mark.parametrize("address", SPECIAL.split())
def test_special_addresses_may_not(address: str) -> None:
    assert not may_be_called(address)


@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203", "fd00::7"])
def test_an_operator_allows_networks(address: str) -> None:
    allowed = (ip_network("10.0.0.0/8"), ip_network("fd00::/64"))
    assert may_be_called(address, allowed)
    assert not may_be_called("192.168.0.1", allowed)


def test_one_special_address_among_others_is_enough() -> None:
    with pytest.raises(NotPublic):
        checked(["1.1.1.1", "10.0.0.1"], ())
    assert checked(["1.1.1.1", "8.8.8.8"], ()) == ("1.1.1.1", "8.8.8.8")


@pytest.mark.parametrize(
    "url",
    [
        "https://your-app.com/webhook",
        "http://example.com",
        "https://example.com:8443/a?b=c",
        "http://[2606:4700::1111]/",
        "https://bücher.example/ü",
    ],
)
def test_urls_that_can_be_delivered_to(url: str) -> None:
    assert read_url(url).host


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/_x",
        "https:///path",
        "http://",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://example.com/#part",
        "http://example.com:22/",
        "http://example.com:0/",
        "http://example.com:65536/",
        "http://example.com:x/",
        "http://exa mple.com/",
        "http://example.com\\@127.0.0.1/",
        "http://example.com/\r\nX: y",
        "http://example.com/\x00",
        "https://example.com/" + "a" * 2048,
    ],
)
def test_urls_that_cannot(url: str) -> None:
    with pytest.raises(ValueError, match="must"):
        read_url(url)


def test_secrets_of_both_forms() -> None:
    assert len(key_of(new_secret())) == 32
    assert key_of("webhook-secret-key") == b"webhook-secret-key"
    for wrong in ("whsec_", "whsec_short", "whsec_AAAA", "whsec_" + "A" * 200):
        with pytest.raises(ValueError, match="base64"):
            key_of(wrong)
