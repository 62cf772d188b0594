"""Keys of zones: what is told of them is what dnspython and the RFCs say."""

from base64 import b64decode
from datetime import UTC, datetime

import dns.dnssec
import dns.rdata
import dns.zone
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from state.dns.keys import KEY, delegation, dnskey, file_stem, known_key, make_key, public_files
from state.resource import sha256

AT = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def test_the_halves_of_a_key_belong_together_and_no_two_keys_are_the_same() -> None:
    kept, file = make_key(AT)
    key = known_key(kept)
    assert key
    number = next(line for line in file.splitlines() if line.startswith("PrivateKey: ")).split()[1]
    private = ec.derive_private_key(int.from_bytes(b64decode(number), "big"), ec.SECP256R1())
    public = private.public_key().public_numbers()
    assert b64decode(key.public) == public.x.to_bytes(32, "big") + public.y.to_bytes(32, "big")
    assert key.checksum == sha256(file)
    assert make_key(AT)[0] != kept
    assert number not in str(kept)


def test_a_zone_without_a_key_has_none() -> None:
    assert known_key({}) is None


def test_what_a_key_is_told_as_is_what_signatures_are_checked_with() -> None:
    kept, _ = make_key(AT)
    key = known_key(kept)
    assert key
    assert kept == {KEY: {"tag": key.tag, "public": key.public, "since": key.since, "sha256": key.checksum}}
    record = dns.rdata.from_text("IN", "DNSKEY", dnskey(key))
    assert dns.dnssec.key_id(record) == key.tag
    ds = dns.rdata.from_text("IN", "DS", delegation("zoe.test", key))
    assert ds == dns.dnssec.make_ds("zoe.test.", record, "SHA256")
    assert file_stem("zoe.test", key) == f"Kzoe.test.+013+{key.tag:05}"


def test_the_example_of_the_rfc_has_the_digest_that_the_rfc_says() -> None:
    """RFC 6605, section 6.1."""
    public = "GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA=="
    key = known_key({KEY: {"tag": 55648, "public": public, "since": "20100909100439", "sha256": ""}})
    assert key
    assert delegation("example.net", key).split() == [
        "55648", "13", "2", "B4C8C1FE2E7477127B27115656AD6256F424625BF5C1E2770CE6D6E37DF61D17",
    ]  # fmt: skip


@pytest.mark.parametrize("ending", ["key", "state"])
def test_public_files_say_since_when_and_nothing_of_the_private_half(ending: str) -> None:
    kept, file = make_key(AT)
    key = known_key(kept)
    assert key
    text = public_files("zoe.test", key)[ending]
    assert text.count("20260301123000") >= 4
    assert next(line for line in file.splitlines() if line.startswith("PrivateKey")).split()[1] not in text
