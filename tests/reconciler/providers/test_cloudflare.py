"""Zones at a stub of Cloudflare: what its API is asked for, by octoDNS's own package for it."""

from typing import Any

import pytest

from tests.reconciler.providers.cloudflare import Cloudflare
from tests.reconciler.providers.plane import NAMESERVERS, Plane

WWW = {"name": "www", "record_type": "A", "value": "192.0.2.7", "ttl": 300}
EVERY: list[tuple[str, str, int, str]] = [
    ("AAAA", "2001:db8::9", 0, "2001:db8::9"),
    ("CNAME", "www", 0, "www.every.example.com"),
    ("MX", "mail.example.net.", 10, "mail.example.net"),
    ("TXT", "v=DKIM1; k=rsa; p=MIIB+/=", 0, '"v=DKIM1; k=rsa; p=MIIB+/="'),
    ("TXT", "x" * 300, 0, f'"{"x" * 255}" "{"x" * 45}"'),
    ("TXT", 'a "word"; and a\\b \\"', 0, '"a \\"word\\"; and a\\\\b \\\\\\""'),
    ("TXT", "one at the end\\", 0, '"one at the end\\\\"'),
    ("TXT", "a\\;b;", 0, '"a\\\\;b;"'),
    ("TXT", 'x"' * 200, 0, '"' + ('x\\"' * 128)[:-3] + 'x" "' + '\\"' + 'x\\"' * 72 + '"'),
    ("TXT", "grüße", 0, '"gr\\195\\188\\195\\159e"'),
    ("NS", "ns7.example.net.", 0, "ns7.example.net"),
    ("SRV", "5 5060 sip.example.net.", 20, "5 5060 sip.example.net"),
    ("CAA", '0 issue "ca.example.net"', 0, '0 issue "ca.example.net"'),
    ("TLSA", "3 1 1 " + "ab" * 32, 0, "3 1 1 " + "ab" * 32),
    ("SSHFP", "4 2 " + "ef" * 32, 0, "4 2 " + "ef" * 32),
    ("NAPTR", '100 10 "U" "E2U+sip" "!^.*$!sip:info@example.com!" .', 0,
     '100 10 "U" "E2U+sip" "!^.*$!sip:info@example.com!" .'),
    ("HTTPS", '1 . alpn="h2,h3"', 0, '1 . alpn="h2,h3"'),
]  # fmt: skip


def _changes(part: dict[str, Any]) -> list[tuple[str, str]]:
    return [(change["action"], change["resource"]) for change in part["changes"]]


def test_a_new_zone_is_made_as_its_dry_run_says_and_has_its_id(there: Plane, stub: Cloudflare) -> None:
    zone = there.zone("new.example.com", WWW, {**WWW, "value": "192.0.2.8"})
    foretold = _changes(there.plan())
    assert not stub.zones
    there.reconcile()
    assert there.says(zone).status
    assert foretold == [("create", "rrset:new.example.com/www/A")]
    assert stub.told("www.new.example.com", "A") == ["300 192.0.2.7", "300 192.0.2.8"]
    assert there.kept(zone)["provider_zone_id"] in stub.zones
    assert there.ran()[-1].status == "completed"
    assert there.plan()["changes"] == []
    assert not there.sweep().needy


@pytest.mark.parametrize(("kind", "value", "priority", "told"), EVERY)
def test_every_type_is_kept_as_written_and_found_as_wanted(
    there: Plane, stub: Cloudflare, kind: str, value: str, priority: int, told: str
) -> None:
    name = "t" if kind in {"A", "AAAA", "MX"} else "_t._tcp"
    record = {"name": name, "record_type": kind, "value": value, "priority": priority}
    zone = there.zone("every.example.com", WWW, record)
    there.reconcile()
    assert there.says(zone).status
    assert stub.told(f"{name}.every.example.com", kind) == [f"3600 {told}"]
    assert not there.sweep().needy
    there.remove(zone)
    there.reconcile()
    assert stub.told(f"{name}.every.example.com", kind) == []


def test_its_own_name_servers_are_left_alone_and_others_told_of(there: Plane, stub: Cloudflare) -> None:
    apex = {"name": "ns.example.com", "type": "NS", "content": "ada.ns.cloudflare.example", "ttl": 86400}
    stub.add_zone("ns.example.com", apex)
    zone = there.zone("ns.example.com", WWW)
    there.adopt(zone)
    server = there.record(zone, **NAMESERVERS)
    there.reconcile()
    assert there.says(zone).status
    assert there.says(server, "Blocked").reason == "ServersFixed"
    assert stub.told("ns.example.com", "NS") == ["86400 ada.ns.cloudflare.example"]
    assert there.sweep().unmanaged == ()


def test_a_ttl_below_the_least_one_is_no_drift(there: Plane, stub: Cloudflare) -> None:
    zone = there.zone("short.example.com", {**WWW, "ttl": 5})
    there.reconcile()
    assert stub.told("www.short.example.com", "A") == ["120 192.0.2.7"]
    assert there.says(zone).status
    assert not there.sweep().needy
    assert there.plan()["changes"] == []


def test_what_only_the_provider_knows_of_a_record_stays(there: Plane, stub: Cloudflare) -> None:
    zone = there.zone("proxied.example.com", WWW)
    there.reconcile()
    stub.of("www.proxied.example.com", "A").update(proxied=True, ttl=1, comment="by hand")
    assert not there.sweep().needy
    record = there.record(zone, **{**WWW, "value": "192.0.2.8"})
    there.reconcile()
    assert {r["content"] for r in next(iter(stub.records.values())).values()} == {"192.0.2.7", "192.0.2.8"}
    assert stub.of("www.proxied.example.com", "A")["proxied"]
    there.remove(record)
    there.reconcile()
    assert there.says(zone).status


def test_drift_is_repaired_and_foreign_records_stay(there: Plane, stub: Cloudflare) -> None:
    txt = {"name": "old.example.com", "type": "TXT", "content": '"theirs"'}
    id_ = stub.add_zone(
        "old.example.com", txt, {"name": "www.old.example.com", "type": "A", "content": "192.0.2.7"}
    )
    zone = there.zone("old.example.com", WWW)
    there.adopt(zone)
    there.reconcile()
    assert there.kept(zone)["provider_zone_id"] == id_
    assert "GET /zones" in stub.asked
    assert not [each for each in stub.asked if not each.startswith("GET")]
    stub.of("www.old.example.com", "A")["content"] = "203.0.113.66"
    found = there.sweep()
    assert found.drifted == {zone.uid}
    assert found.unmanaged == ("rrset:old.example.com/@/TXT",)
    there.reconcile()
    assert stub.told("www.old.example.com", "A") == ["300 192.0.2.7"]
    assert stub.told("old.example.com", "TXT") == ['300 "theirs"']


def test_many_zones_and_records_are_read_page_by_page(there: Plane, stub: Cloudflare) -> None:
    for number in range(60):
        stub.add_zone(f"other{number}.example.net")
    records = [{**WWW, "name": f"n{number}"} for number in range(120)]
    zone = there.zone("many.example.com", *records)
    there.reconcile()
    assert there.says(zone).status
    assert len(stub.records[there.kept(zone)["provider_zone_id"]]) == 120
    assert not there.sweep().needy
