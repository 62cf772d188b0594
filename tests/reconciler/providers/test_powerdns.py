"""Zones at a real PowerDNS: made, changed, proved, repaired and taken away, and what is somebody else's left alone."""

from dataclasses import replace
from typing import Any

import pytest

from state.document import Document
from tests.reconciler.providers.plane import NAMESERVERS, TARGET, Plane, changed
from tests.reconciler.providers.powerdns import PowerDns
from tests.state.companies import document

WWW = {"name": "www", "record_type": "A", "value": "192.0.2.7", "ttl": 300}
EVERY: list[tuple[str, str, int, str]] = [
    ("A", "192.0.2.9", 0, "192.0.2.9"),
    ("AAAA", "2001:db8::9", 0, "2001:db8::9"),
    ("CNAME", "www", 0, "www.every.example.com."),
    ("MX", "mail.example.net.", 10, "10 mail.example.net."),
    ("TXT", "v=DKIM1; k=rsa; p=MIIB+/=", 0, '"v=DKIM1; k=rsa; p=MIIB+/="'),
    ("TXT", "x" * 600, 0, f'"{"x" * 255}" "{"x" * 255}" "{"x" * 90}"'),
    ("TXT", '"one" "two"', 0, '"onetwo"'),
    ("TXT", 'a "word"; and a\\b \\"', 0, '"a \\"word\\"; and a\\\\b \\\\\\""'),
    ("TXT", 'x"' * 200, 0, '"' + ('x\\"' * 128)[:-3] + 'x" "' + '\\"' + 'x\\"' * 72 + '"'),
    ("TXT", "one at the end\\", 0, '"one at the end\\\\"'),
    ("TXT", "a\\;b;", 0, '"a\\\\;b;"'),
    ("TXT", "grüße", 0, '"gr\\195\\188\\195\\159e"'),
    ("NS", "ns7.example.net.", 0, "ns7.example.net."),
    ("SRV", "5 5060 sip.example.net.", 20, "20 5 5060 sip.example.net."),
    ("CAA", '0 issue "ca.example.net; policy=ev"', 0, '0 issue "ca.example.net; policy=ev"'),
    ("PTR", "host.example.net.", 0, "host.example.net."),
    ("TLSA", "3 1 1 " + "ab" * 32, 0, "3 1 1 " + "ab" * 32),
    ("DS", "12345 13 2 " + "CD" * 32, 0, "12345 13 2 " + "cd" * 32),
    ("SSHFP", "4 2 " + "ef" * 32, 0, "4 2 " + "ef" * 32),
    ("NAPTR", '100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .', 0,
     '100 10 "U" "E2U+sip" "!^.*$!sip:info@example.com!" .'),
    ("HTTPS", '1 . alpn="h2,h3"', 0, '1 . alpn="h2,h3"'),
    ("SVCB", "1 svc.example.net. port=853", 0, '1 svc.example.net. port="853"'),
]  # fmt: skip


def _changes(part: dict[str, Any]) -> list[tuple[str, str]]:
    return [(change["action"], change["resource"]) for change in part["changes"]]


def test_a_new_zone_is_served_as_its_dry_run_says(plane: Plane, server: PowerDns) -> None:
    zone = plane.zone("new.example.com", NAMESERVERS, WWW, {**WWW, "value": "192.0.2.8", "ttl": 600})
    foretold = plane.plan()
    done = plane.reconcile()
    assert plane.says(zone).status
    assert not done.retry
    assert _changes(foretold) == [
        ("create", "rrset:new.example.com/@/NS"),
        ("create", "rrset:new.example.com/www/A"),
    ]
    assert foretold["changes"][1]["fields"] == [
        {"field": "ttl", "before": None, "after": 300},
        {"field": "values", "before": None, "after": ["192.0.2.7", "192.0.2.8"]},
    ]
    assert server.ask("www.new.example.com", "A") == ["300 192.0.2.7", "300 192.0.2.8"]
    assert server.ask("new.example.com", "NS") == ["3600 ns1.example.net."]
    assert plane.kept(zone)["provider_zone_id"] == "new.example.com."
    job = plane.ran()[-1]
    assert (job.job_type, job.owner, job.target, job.status) == (
        "dns_sync",
        "anna",
        "provider:there",
        "completed",
    )
    assert job.results["rrset:new.example.com/www/A"]["document"] == "DnsZone/new.example.com"
    assert plane.plan()["changes"] == []


@pytest.mark.parametrize(("kind", "value", "priority", "told"), EVERY)
def test_every_type_is_served_as_written_and_found_as_wanted(
    plane: Plane, server: PowerDns, kind: str, value: str, priority: int, told: str
) -> None:
    name = "t" if kind in {"A", "AAAA", "MX"} else "_t._tcp"
    record = {"name": name, "record_type": kind, "value": value, "priority": priority}
    beside = [{**NAMESERVERS, "name": name}] if kind == "DS" else []
    zone = plane.zone("every.example.com", NAMESERVERS, record, *beside)
    try:
        plane.reconcile()
        assert plane.says(zone).message == "everything is as wanted"
        if kind != "NS":
            assert server.ask(f"{name}.every.example.com", kind)[0] == f"3600 {told}"
        found = plane.sweep()
        assert not found.needy
    finally:
        plane.remove(zone)
        plane.reconcile()
    assert server.ask(f"{name}.every.example.com", kind) == []


def test_what_is_equal_is_adopted_and_what_differs_or_is_unknown_stays(
    plane: Plane, server: PowerDns
) -> None:
    theirs = {
        ("there.example.com.", "NS"): ["ns1.example.net."],
        ("www.there.example.com.", "A"): ["192.0.2.7"],
        ("mail.there.example.com.", "A"): ["198.51.100.1"],
        ("shop.there.example.com.", "A"): ["198.51.100.2"],
    }
    server.add_zone("there.example.com", theirs)
    zone = plane.zone(
        "there.example.com",
        NAMESERVERS,
        {**WWW, "ttl": 3600},
        {**WWW, "name": "mail"},
        {**WWW, "name": "new"},
    )
    plane.adopt(zone)
    plane.reconcile()
    assert plane.says(zone).reason == "Unmanaged"
    assert "rrset:there.example.com/mail/A is there already" in plane.says(zone).message
    assert plane.status(zone).applied.keys() == {
        "rrset:there.example.com/@/NS", "rrset:there.example.com/www/A", "rrset:there.example.com/new/A",
    }  # fmt: skip
    assert server.ask("mail.there.example.com", "A") == ["3600 198.51.100.1"]
    assert server.ask("new.there.example.com", "A") == ["300 192.0.2.7"]
    assert plane.sweep().unmanaged == ("rrset:there.example.com/shop/A",)
    plane.remove(zone)
    plane.reconcile()
    assert server.ask("www.there.example.com", "A") == []
    assert server.ask("mail.there.example.com", "A") == ["3600 198.51.100.1"]
    assert server.ask("shop.there.example.com", "A") == ["3600 198.51.100.2"]
    assert "there.example.com." in server.zones()


def test_a_change_by_hand_is_seen_by_the_sweep_and_undone(plane: Plane, server: PowerDns) -> None:
    zone = plane.zone("drift.example.com", NAMESERVERS, WWW)
    plane.reconcile()
    server.put("drift.example.com", "www.drift.example.com.", "A", ["203.0.113.66"])
    server.put("drift.example.com", "drift.example.com.", "NS", ["ns9.example.net."])
    found = plane.sweep()
    assert found.drifted == {zone.uid}
    drifted = plane.says(zone, "Drifted")
    assert (drifted.status, drifted.reason) == (True, "ChangedAtProvider")
    assert "values: 192.0.2.7 is 203.0.113.66 at the provider" in drifted.message
    plane.reconcile()
    assert server.ask("www.drift.example.com", "A") == ["300 192.0.2.7"]
    assert server.ask("drift.example.com", "NS") == ["3600 ns1.example.net."]
    assert (plane.says(zone).status, plane.says(zone, "Drifted").status) == (True, False)


def test_changing_and_deleting_records_touches_nothing_else(plane: Plane, server: PowerDns) -> None:
    zone = plane.zone("more.example.com", NAMESERVERS, WWW)
    alias = plane.record(zone, name="shop", record_type="CNAME", value="www")
    plane.reconcile()
    server.put("more.example.com", "hand.more.example.com.", "TXT", ['"by hand"'])
    plane.remove(alias)
    plane.record(zone, name="shop", record_type="A", value="192.0.2.9")
    foretold = plane.plan()
    assert _changes(foretold) == [
        ("create", "rrset:more.example.com/shop/A"),
        ("delete", "rrset:more.example.com/shop/CNAME"),
    ]
    plane.reconcile()
    assert plane.says(zone).status
    assert server.ask("shop.more.example.com", "A") == ["3600 192.0.2.9"]
    assert server.ask("hand.more.example.com", "TXT") == ['3600 "by hand"']


def test_a_deleted_zone_leaves_nothing_of_ours_and_is_forgotten(plane: Plane, server: PowerDns) -> None:
    zone = plane.zone("gone.example.com", NAMESERVERS, WWW)
    plane.reconcile()
    plane.remove(zone)
    assert _changes(plane.plan()) == [("delete", "rrset:gone.example.com/www/A")]
    plane.reconcile()
    assert server.ask("www.gone.example.com", "A") == []
    assert server.ask("gone.example.com", "NS") == ["3600 ns1.example.net."]
    with pytest.raises(Exception, match="no such object"):
        plane.kept(zone)


def test_a_source_that_lost_its_zones_takes_none_from_the_provider(plane: Plane, server: PowerDns) -> None:
    zones = [plane.zone(f"z{n}.example.com", NAMESERVERS, WWW) for n in range(4)]
    plane.reconcile()
    for zone in zones:
        plane.remove(zone, confirmed=False)
    assert not plane.plan()["guard"]["allowed"]
    plane.reconcile()
    assert {plane.says(zone).reason for zone in zones} == {"HeldBack"}
    assert server.ask("www.z1.example.com", "A") == ["300 192.0.2.7"]


def test_a_first_zone_is_foretold_with_what_its_template_takes_from_the_host_of_its_owner(
    plane: Plane,
) -> None:
    zone = replace(document("DnsZone", "first.example.com", "anna", dns_provider="there"), target=TARGET)
    foretold = plane.plan(zone)
    assert foretold["blocked"] == []
    assert ("create", "rrset:first.example.com/@/A") in _changes(foretold)


def test_a_template_follows_the_host_of_the_owner(plane: Plane, server: PowerDns) -> None:
    zone = plane.zone("site.example.com", template="default", primary_ns="ns1.example.net.")
    plane.reconcile()
    assert plane.says(zone).status
    assert server.ask("www.site.example.com", "AAAA") == ["3600 2001:db8::1"]


def test_a_record_that_the_provider_refuses_fails_no_other(plane: Plane, server: PowerDns) -> None:
    server.add_zone("odd.example.com", {("odd.example.com.", "NS"): ["ns1.example.net."]})
    server.put("odd.example.com", "alias.odd.example.com.", "CNAME", ["elsewhere.example.net."])
    zone = plane.zone("odd.example.com", NAMESERVERS, WWW, {**WWW, "name": "alias"})
    plane.adopt(zone)
    other = plane.zone("even.example.com", NAMESERVERS, WWW)
    plane.reconcile()
    assert plane.says(other).status
    assert plane.says(zone).reason == "Refused"
    assert "alias.odd.example.com. IN A: Conflicts with pre-existing RRset" in plane.says(zone).message
    assert server.ask("www.odd.example.com", "A") == ["300 192.0.2.7"]
    assert server.ask("alias.odd.example.com", "CNAME") == ["3600 elsewhere.example.net."]
    server.put("odd.example.com", "alias.odd.example.com.", "CNAME", [])
    plane.sweep()
    plane.reconcile()
    assert plane.says(zone).status
    assert server.ask("alias.odd.example.com", "A") == ["300 192.0.2.7"]


def test_a_dry_run_of_documents_that_are_not_stored(plane: Plane, server: PowerDns) -> None:
    zone = plane.zone("dry.example.com", NAMESERVERS)
    record: Document = plane.record(zone, **WWW)
    plane.reconcile()
    part = plane.plan(changed(record, value="192.0.2.99"))
    assert part["changes"][0]["fields"] == [
        {"field": "values", "before": ["192.0.2.7"], "after": ["192.0.2.99"]}
    ]
    assert server.ask("www.dry.example.com", "A") == ["300 192.0.2.7"]


def test_texts_of_any_bytes_are_served_and_what_octodns_has_no_form_for_fails_alone(
    plane: Plane, server: PowerDns
) -> None:
    zone = plane.zone("odd.example.com", NAMESERVERS)
    text = plane.record(zone, name="t", record_type="TXT", value='"\\200\\255"', ttl=300)
    naptr = {"record_type": "NAPTR", "value": '100 10 "u" "E2U+sip" "!^.*$!sip:a b@c.example!" .'}
    bad = plane.record(zone, name="n", **naptr)
    svcb = plane.record(zone, name="_dns.s", record_type="SVCB", value="1 s alpn=dot dohpath=/q{?dns}")
    (blocked, other) = plane.plan()["blocked"]
    assert "rrset:odd.example.com/_dns.s/SVCB" in blocked["message"]
    assert "octoDNS has no form for NAPTR 100 10" in other["message"]
    for _ in range(2):
        assert plane.reconcile().retry == set()
        assert server.ask("t.odd.example.com", "TXT") == ['300 "\\200\\255"']
        assert plane.says(text).status
        for each in (zone, bad):
            assert plane.says(each).reason == "Refused"
            assert "rrset:odd.example.com/n/NAPTR: DNS provider 'there': octoDNS" in plane.says(each).message
        assert "NAPTR" not in plane.says(svcb).message
        plane.wake(zone.uid)
    plane.change(text, value='"\\201"')
    plane.reconcile()
    assert server.ask("t.odd.example.com", "TXT") == ['300 "\\201"']
    assert plane.sweep().drifted == frozenset()
