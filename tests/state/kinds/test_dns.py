"""Zones and records: names with room for what stands in them, and what can never be right refused with its field."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.compile import compile_documents
from state.compiling import Compiled, Context, Plane
from state.dns.keys import known_key
from state.document import Document
from state.kinds.dns_record import DNS_RECORD, DnsRecord, as_line
from state.kinds.dns_zone import DNS_ZONE, DnsZone
from state.resource import Secret
from tests.state.companies import DAY, FACTS, document, templates, with_key

TODAY = Plane(day=DAY)
LONG = ".".join(["a" * 60] * 4)[:200].rstrip(".")


def test_a_zone_leaves_room_for_names_in_it() -> None:
    assert DNS_ZONE.check_name("example.com") == "example.com"
    with pytest.raises(ValueError, match="too long for a zone"):
        DNS_ZONE.check_name(f"{LONG}.example.com")


@pytest.mark.parametrize("name", [f"{'w' * 63}.{LONG}.com", "www", "-.example.com"])
def test_the_document_of_a_record_is_named_after_its_zone(name: str) -> None:
    assert DNS_RECORD.check_name("www-a.example.com") == "www-a.example.com"
    with pytest.raises(ValueError, match=r"too long|must be"):
        DNS_RECORD.check_name(name)


def test_what_names_the_server_of_a_zone_is_a_host_name() -> None:
    for server, fields in (("ns1.example.net", []), ("ns 1;", ["primary_ns"])):
        spec = DnsZone(primary_ns=server, admin_email="a@example.com")
        assert [field for field, _ in DNS_ZONE.check("example.com", "anna", spec)] == fields


def test_what_a_zone_answers_authorities_is_in_it_and_moves_its_serial() -> None:
    zone = document("DnsZone", "example.com", "anna", primary_ns="ns1.example.net.")

    def compiled(plane: Plane, **kept: object) -> Compiled:
        return DNS_ZONE.compile(Context(replace(zone, kept=kept), FACTS, templates(), {}.get, plane))

    plain = compiled(Plane(day=DAY))
    asked = compiled(Plane(day=DAY, answers={zone.uid: (("_acme-challenge", "text"),)}), **plain.keep)
    assert '_acme-challenge 60 IN TXT "text"' in str(asked.resources[0].content)
    assert asked.keep["serial"] == plain.keep["serial"] + 1
    other = compiled(Plane(day=DAY, answers={"another": (("_acme-challenge", "text"),)}), **plain.keep)
    assert other.resources == plain.resources


@pytest.mark.parametrize("dnssec", [False, True])
def test_a_zone_that_was_seen_with_a_later_serial_is_published_beyond_it_when_it_changes(
    dnssec: bool,
) -> None:
    zone = with_key(signed(dnssec_enabled=dnssec))
    first = compiled(zone)
    serial = first.keep["serial"]
    seen = Plane(day=DAY, out={zone.uid: serial + 7, "another": serial + 9})
    again = compiled(zone, seen, **first.keep)
    assert again.resources == first.resources
    assert again.ahead == {**first.ahead, "out": serial + 7}
    later = compiled(
        changed := replace(zone, spec=zone.spec.model_copy(update={"retry_interval": 60})), **again.keep
    )
    assert (later.ahead["serial"], later.ahead["out"]) == (serial + 8, None)
    assert later.ahead == compiled(changed, seen, **first.keep).ahead
    back = compiled(zone, Plane(day=DAY, out={zone.uid: serial}), **again.keep)
    assert back.ahead == again.ahead


def compiled(zone: Document, plane: Plane = TODAY, **kept: Any) -> Compiled:
    with_these = replace(zone, kept={**zone.kept, **kept})
    return DNS_ZONE.compile(Context(with_these, FACTS, templates(), {}.get, plane))


def signed(**values: Any) -> Document:
    values = {"primary_ns": "ns1.example.net.", "dnssec_enabled": True, **values}
    return document("DnsZone", "example.com", "anna", **values)


def test_a_zone_that_is_to_be_signed_waits_for_its_key() -> None:
    made = compiled(signed())
    assert [reason.code for reason in made.waiting] == ["KeyPending"]
    assert made.resources == ()


def test_a_signed_zone_is_its_file_with_its_key_and_no_private_half_of_it() -> None:
    zone = with_key(signed())
    made = compiled(zone)
    key = known_key(zone.kept)
    assert key
    stem = f"config:named/private/dnssec/example.com/{key.tag}/Kexample.com.+013+{key.tag:05}"
    assert [each.key for each in made.resources] == [
        "signing:example.com",
        f"{stem}.key",
        f"{stem}.state",
        f"{stem}.private",
        "config:named/example.com.zone",
        "config:named/example.com.conf",
        "served:example.com",
    ]
    assert made.resources[-1].requires == (made.resources[-3].key, made.resources[-2].key)
    private = made.resources[3]
    assert (private.content, private.attributes["group"], private.attributes["mode"]) == (
        None,
        "bind",
        "0640",
    )
    assert private.secret == Secret("sealed", "dnssec")
    assert 'dnssec-policy "ghostcp"' in (made.resources[5].content or "")
    assert made.secured
    assert made.keep["ds_records"]
    assert "ds_records" not in made.ahead
    again = compiled(zone, **made.keep)
    assert again.resources == made.resources


def test_signatures_come_and_go_each_with_a_larger_serial() -> None:
    plain = compiled(with_key(signed(dnssec_enabled=False)))
    assert not plain.secured
    with_them = compiled(with_key(signed()), **plain.keep)
    assert with_them.keep["serial"] == plain.keep["serial"] + 1
    off = with_key(signed(dnssec_enabled=False))
    still = compiled(off, **with_them.keep)
    *same, options, proof = still.resources
    assert (*same, proof) == (*with_them.resources[:-2], with_them.resources[-1])
    assert 'dnssec-policy "ghostcp-leaving";' in (options.content or "")
    assert [reason.code for reason in still.notes] == ["DsNotLookedUp"]
    last = compiled(off, **{**with_them.keep, "released": {"serial": with_them.keep["serial"] + 7}})
    assert [each.key for each in last.resources] == [each.key for each in plain.resources]
    assert last.keep["serial"] == with_them.keep["serial"] + 8
    assert last.keep["ds_records"] is None
    after = compiled(off, **{name: value for name, value in last.keep.items() if value is not None})
    assert after.resources == last.resources


def test_a_signed_zone_that_is_switched_off_or_goes_is_told_of_its_ds_and_comes_back_signed() -> None:
    assert compiled(with_key(signed(is_active=False))).notes == ()
    assert DNS_ZONE.parting(with_key(signed())) == ()
    kept = compiled(with_key(signed())).keep
    off = compiled(with_key(signed(is_active=False, dnssec_enabled=False)), **kept)
    assert [reason.code for reason in off.notes] == ["DsLeftBehind"]
    assert (off.resources, dict(off.keep)) == ((), {})
    back = compiled(with_key(signed(dnssec_enabled=False)), **kept)
    assert 'dnssec-policy "ghostcp-leaving";' in (back.resources[-2].content or "")
    zone = with_key(signed())
    gone = replace(zone, kept={**zone.kept, **kept}, deleted_at=datetime(2026, 5, 1, tzinfo=UTC))
    made = compile_documents([gone], {}, FACTS, templates())
    assert [reason.code for reason in made.outcomes[gone.uid].notes] == ["DsLeftBehind"]


def test_a_record_that_was_stored_wrong_is_in_nobodys_way() -> None:
    spec = DnsRecord(name="www", record_type="A", value="192.0.2.1", priority=0)
    wrong = DnsRecord.stored({**spec.model_dump(), "value": "nonsense"})
    made = [
        replace(document("DnsRecord", f"{n}.example.com", "anna", **spec.model_dump()), spec=wrong)
        for n in "ab"
    ]
    assert DNS_RECORD.part_of is not None
    good = replace(made[0], spec=spec)
    assert DNS_RECORD.part_of.clashes(good, made[1:]) == []
    assert DNS_RECORD.part_of.clashes(made[0], [replace(made[1], spec=spec)]) == []
    assert DNS_RECORD.part_of.clashes(good, [replace(made[1], spec=spec)]) == [
        ("value", "the zone has just this record already")
    ]


def test_a_record_is_read_as_a_line_and_what_is_none_as_it_stands() -> None:
    values = {"name": "www", "record_type": "MX", "value": "mail", "ttl": 60, "priority": 5}
    assert as_line("x.example.com", values) == "www 60 IN MX 5 mail.example.com."
    assert as_line("x.example.com", {**values, "value": "a b\n"}) == "www 60 IN MX a b\ufffd"


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"name": "x", "record_type": "A", "value": "192.0.2.9", "priority": 0, "ttl": 99999999999},
        {"name": "x", "record_type": "A", "value": "192.0.2.9", "priority": 0, "ttl": True},
        {"name": "x", "record_type": "SOA", "value": "a. b. 1 2 3 4 5", "priority": 0, "ttl": 60},
        {"name": None, "record_type": ["A"], "value": 1, "priority": "", "ttl": "x"},
    ],
)
def test_a_record_that_is_stored_wrong_harms_no_other(stored: dict[str, Any]) -> None:
    zone = document("DnsZone", "example.com", "anna", primary_ns="ns1.example.net.")
    good = document("DnsRecord", "a.example.com", "anna", name="good", record_type="A", value="192.0.2.1")
    bad = replace(good, uid="bad", name="b.example.com", spec=DnsRecord.stored(stored))
    context = Context(zone, FACTS, templates(), {}.get, Plane(day=DAY), parts=(bad, good))
    made = DNS_ZONE.compile(context)
    assert {uid: reason.code for uid, reason in made.left_out.items()} == {"bad": "Invalid"}
    assert "good 3600 IN A 192.0.2.1" in str(made.resources[0].content)
    assert as_line(bad.name, vars(bad.spec))


@pytest.mark.parametrize(
    ("name", "named"), [("com", "example.com"), ("bücher.example", "xn--bcher-kva.example")]
)
def test_whom_to_write_to_is_named_after_the_zone_that_it_would_be(name: str, named: str) -> None:
    made = DNS_ZONE.complete({}, name, "anna", {}.get, None)
    assert made == {"primary_ns": f"ns1.{named}", "admin_email": f"hostmaster@{named}"}


def test_an_alias_of_itself_is_none() -> None:
    for value, fields in (("a", ["value"]), ("A.example.com", ["value"]), ("b", [])):
        spec = DnsRecord(name="a", record_type="CNAME", value=value, priority=0)
        assert [field for field, _ in DNS_RECORD.check("a.example.com", "anna", spec)] == fields
