"""Chains and keys: read with what they say, refused with what is wrong, and never shown with a key."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ObjectIdentifier
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from state.certificates.chains import covers, irredundant, kept_chain, known_chain, read_chain, read_key
from tests.state.companies import HOST_NAMES, LAW
from tests.state.vouching import pem, root, vouch

MINE = vouch("example.com", "WWW.example.com")


# openssl req -x509 -newkey ec … -sha1 -subj /CN=old.example
OLD = """\
-----BEGIN CERTIFICATE-----
MIIBlTCCAT2gAwIBAgIUFC0BS+5G2g27XahWzhIeC5N6oWQwCQYHKoZIzj0EATAW
MRQwEgYDVQQDDAtvbGQuZXhhbXBsZTAgFw0yNjExMjUxNjAyNDZaGA8yMTI2MTEw
MTE2MDI0NlowFjEUMBIGA1UEAwwLb2xkLmV4YW1wbGUwWTATBgcqhkjOPQIBBggq
hkjOPQMBBwNCAAR3gjDfryBjv5BWJjIeAb8MQXOmF7Bvo2z8bk512mrnjYfCgNa+
MeU40xv/Ijd/f0m+sUiYQmytF/roOMLmnPZlo2gwZjAdBgNVHQ4EFgQUc0CV1fHM
pC806dZnfTIc+OtzCXUwHwYDVR0jBBgwFoAUc0CV1fHMpC806dZnfTIc+OtzCXUw
FgYDVR0RBA8wDYILb2xkLmV4YW1wbGUwDAYDVR0TAQH/BAIwADAJBgcqhkjOPQQB
A0cAMEQCIDd6599SwBMX92enDzk/Qr07jUdbWgUBQ9xqHHx51LBWAiBJTFpNrJK9
mluhtUpGEd93oQkyOYHJstLtfOiSrvT2uQ==
-----END CERTIFICATE-----
"""


def test_a_chain_says_for_whom_it_is_who_vouches_and_how_long() -> None:
    chain = read_chain(f"some words\n{MINE.chain}")
    assert chain.names == ("example.com", "www.example.com")
    assert (chain.issuer, chain.subject) == ("Test Trust", "CN=example.com")
    assert chain.valid_from < datetime.now(UTC) < chain.valid_until
    assert chain.pem == MINE.chain
    assert 90 * 86400 < chain.lifetime < 92 * 86400


@pytest.mark.parametrize(
    "also", [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]
)
def test_one_for_servers_is_taken_whatever_else_it_is_for(also: ObjectIdentifier) -> None:
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH, also]
    assert read_chain(vouch("a.example", usages=usages).chain).names == ("a.example",)


@pytest.mark.parametrize("curve", [ec.SECP256R1(), ec.SECP384R1()])
def test_keys_that_browsers_take_are_taken(curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    assert read_key(pem(key), read_chain(vouch("a.example", key=key).chain)) == pem(key)


def test_what_was_kept_is_known_again() -> None:
    chain = read_chain(MINE.chain)
    assert known_chain({**kept_chain(chain), "more": 1}) == chain
    assert known_chain({}) is None


def test_an_authority_without_an_organisation_goes_by_its_common_name_or_all_of_it() -> None:
    assert read_chain(vouch("a.example", trust="common name").certificate).issuer == "Root"
    assert read_chain(vouch("a.example", trust="country").certificate).issuer == "C=DE"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no certificate"),
        (MINE.key, "is no certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "is no certificate"),
        ("x" * (65 << 10), "too long"),
        (MINE.root, "is an authority"),
        (MINE.root + MINE.certificate, "did not issue"),
        (MINE.certificate + vouch("other.example").certificate, "did not issue"),
        (MINE.certificate * 11, "at most 10"),
        (vouch().certificate, "names no host"),
        (OLD, "is signed with SHA1"),
        (vouch("a.example", usages=[ExtendedKeyUsageOID.CLIENT_AUTH]).chain, "is not for web servers"),
    ],
)
def test_what_is_no_chain_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_chain(text)


def _edwards() -> str:
    key = ed25519.Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no private key"),
        (MINE.certificate, "is no private key"),
        ("x" * (65 << 10), "too long"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "does not belong"),
        (pem(ec.generate_private_key(ec.SECP256R1()), "secret"), "is encrypted"),
        (pem(rsa.generate_private_key(65537, 1024)), "has 1024 bits"),
        (_edwards(), "neither RSA nor ECDSA"),
        (pem(ec.generate_private_key(ec.SECP256K1())), "is on the curve secp256k1"),
        (pem(ec.generate_private_key(ec.BrainpoolP256R1())), "is on the curve brainpoolP256r1"),
        (pem(ec.generate_private_key(ec.SECP521R1())), "is on the curve secp521r1"),
    ],
)
def test_what_is_not_its_key_is_refused_with_the_reason_and_not_shown(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        read_key(text, read_chain(MINE.chain))
    assert "PRIVATE" not in str(caught.value)


def test_a_key_with_which_each_handshake_would_take_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("state.certificates.chains.LONGEST_RSA", 2048)
    with pytest.raises(ValueError, match="has 2056 bits"):
        read_key(pem(rsa.generate_private_key(65537, 2056)), read_chain(MINE.chain))


def test_a_key_is_kept_in_one_form_whatever_it_came_in() -> None:
    key = rsa.generate_private_key(65537, 2048)
    chain = read_chain(vouch("a.example", key=key).chain)
    old = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    assert read_key(old, chain) == pem(key)


@LAW
@given(HOST_NAMES, st.sampled_from(["a", "b-c"]))
def test_a_wildcard_is_for_one_label(name: str, label: str) -> None:
    assert covers([name], name)
    assert covers([f"*.{name}"], f"{label}.{name}")
    assert covers([f"*.{name}"], f"*.{name}")
    assert not covers([f"*.{name}"], name)
    assert not covers([f"*.{name}"], f"x.{label}.{name}")
    assert not covers([f"{label}.{name}"], f"*.{name}")
    assert not covers([], name)


def test_no_name_is_ordered_beside_a_wildcard_that_stands_for_it() -> None:
    names = ("www.a.example", "a.example", "*.a.example", "x.y.a.example", "*.y.a.example", "b.example")
    assert irredundant(names) == ("a.example", "*.a.example", "*.y.a.example", "b.example")
    assert irredundant(()) == ()


@pytest.mark.parametrize(
    ("places", "asked"),
    [
        ((), ""),
        (("http://ocsp.example",), "http://ocsp.example"),
        (("http://127.0.0.1:8888/a/b-1",), "http://127.0.0.1:8888/a/b-1"),
        (("https://ocsp.example", "http://ocsp.example/"), "http://ocsp.example/"),
        (("ldap://ocsp.example", "http://ocsp.example/;", "http://OCSP.example/a b"), ""),
        (("http://user@ocsp.example/",), ""),
    ],
)
def test_who_knows_whether_it_is_revoked_is_a_plain_place_or_nobody(
    places: tuple[str, ...], asked: str
) -> None:
    chain = read_chain(vouch("a.example", ocsp=places).chain)
    assert chain.ocsp == asked
    kept = kept_chain(chain)
    assert known_chain(kept) == chain
    del kept["ocsp"]
    assert known_chain(kept) == replace(chain, ocsp="")


def test_the_root_of_tests_is_made_once() -> None:
    assert root() is root()
