"""Zones brought in and handed out again: all or nothing, nothing lost unsaid, and the same as before."""

from collections import Counter
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from state.dns.master import MOST_RECORDS
from state.tables import documents
from tests.api.conftest import World, working
from tests.api.snapshot import contents
from tests.state.dns.test_master import written

FILE = """\
$ORIGIN example.com.
$TTL 1h
@ IN SOA ns1.example.net. first\\.last.example.com. ( 3000000000 7200 900 604800 60 )
@ NS ns1.example.net.
www 300 A 192.0.2.1
  AAAA 2001:db8::1
@ MX 10 mail
mail CNAME www
txt TXT "one" "two"
www 300 A 192.0.2.1
www RRSIG A 8 3 300 x
"""


def bring(world: World, text: str = FILE, who: str = "anna", query: str = "", **body: Any) -> httpx.Response:
    told = {"domain": "example.com", **({"zone_file": text} if text else {}), **body}
    return world.call(who, "POST", f"/dns/import{query}", json=told)


def faults(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {each["field"]: each["message"] for each in answer.json()["details"]["errors"]}


def handed_out(world: World, zone: str, who: str = "anna") -> str:
    answer = world.call(who, "GET", f"/dns/{zone}/export")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/dns; charset=utf-8"
    return answer.text


def records(world: World, zone: str) -> set[tuple[str, str, str, int]]:
    page = world.call("anna", "GET", f"/dns/{zone}/records?limit=100").json()["records"]
    return {(each["name"], each["record_type"], each["value"], each["priority"]) for each in page}


def test_a_zone_is_brought_in_with_its_settings_and_its_serial_goes_on(world_on_both: World) -> None:
    world = world_on_both
    made = bring(world)
    assert made.status_code == 201, made.text
    zone, told = made.json()["zone"], made.json()["import"]
    assert made.headers["Location"] == f"/api/v1/dns/{zone['id']}"
    assert (zone["domain"], zone["template"], zone["primary_ns"]) == (
        "example.com",
        "none",
        "ns1.example.net.",
    )
    assert (zone["admin_email"], zone["serial"]) == ("first.last@example.com", 3000000000)
    times = ("refresh_interval", "retry_interval", "expire_interval", "minimum_ttl")
    assert [zone[name] for name in times] == [7200, 900, 604800, 60]
    assert records(world, zone["id"]) == {
        ("@", "NS", "ns1.example.net.", 0),
        ("www", "A", "192.0.2.1", 0),
        ("www", "AAAA", "2001:db8::1", 0),
        ("@", "MX", "mail.example.com.", 10),
        ("mail", "CNAME", "www.example.com.", 0),
        ("txt", "TXT", '"one" "two"', 0),
    }
    assert "www 300 IN A 192.0.2.1" in told["added"]
    assert (told["deleted"], told["changed"], told["unchanged"]) == ([], [], 0)
    assert [(each["line"], each["record"]) for each in told["left_out"]] == [
        (11, "1 of type RRSIG"),
        (10, "www A 192.0.2.1"),
    ]
    assert "3000000000" in handed_out(world, zone["id"])


def test_a_merge_loses_nothing_and_a_replacement_leaves_just_the_file(world_on_both: World) -> None:
    world = world_on_both
    zone = world.zone("example.com", "anna", template="none")
    for name, more in (("mine", {}), ("www", {}), ("off", {"is_active": False})):
        world.record(zone, name, **more)
    merged = bring(world)
    assert merged.status_code == 200, merged.text
    told = merged.json()["import"]
    assert told["changed"] == [{"before": "www 3600 IN A 192.0.2.1", "after": "www 300 IN A 192.0.2.1"}]
    assert {n: told["left_out"][0][n] for n in ("record", "line")} == {"record": "SOA", "line": 3}
    assert merged.json()["zone"]["minimum_ttl"] == 3600
    assert {name for name, *_ in records(world, zone.uid)} == {"mine", "off", "@", "www", "mail", "txt"}
    again = bring(world).json()["import"]
    assert (again["added"], again["changed"], again["unchanged"]) == ([], [], 6)
    replaced = bring(world, mode="replace")
    assert replaced.json()["import"]["deleted"] == ["mine 3600 IN A 192.0.2.1"]
    assert replaced.json()["zone"]["minimum_ttl"] == 60
    assert {name for name, *_ in records(world, zone.uid)} == {"off", "@", "www", "mail", "txt"}


def test_every_fault_is_told_with_its_line_and_nothing_is_written(world_on_both: World) -> None:
    world = world_on_both
    before = contents(world.database)
    found = faults(bring(world, "a A 192.0.2\nb NONSENSE x\n$INCLUDE /etc/passwd\nc A 192.0.2.1\n"))
    assert list(found) == ["zone_file.1", "zone_file.2", "zone_file.3"]
    assert found["zone_file.1"].startswith("line 1: is no value of a record of type A")
    clashing = faults(bring(world, "@ NS ns1.example.net.\n@ CNAME a\nb A 192.0.2.1\nb CNAME c\n"))
    assert set(clashing) == {"zone_file.2", "zone_file.4"}
    assert "line 4: a CNAME stands alone" in clashing["zone_file.4"]
    assert contents(world.database).keys() == before.keys()
    assert world.call("anna", "GET", "/dns").json()["total"] == 0


def test_what_is_there_may_clash_with_what_is_brought_in(world_on_both: World) -> None:
    world = world_on_both
    zone = world.zone("example.com", "anna", template="none")
    world.record(zone, "www", record_type="CNAME", value="elsewhere.example.net.")
    text = "@ NS ns1.example.net.\nwww A 192.0.2.1\n"
    assert set(faults(bring(world, text))) == {"zone_file.2"}
    assert bring(world, text, mode="replace").status_code == 200


def test_settings_may_be_named_and_their_faults_are_told_there(world: World) -> None:
    made = bring(world, zone={"template": "mail", "minimum_ttl": 900, "dnssec_enabled": True}).json()["zone"]
    assert (made["template"], made["minimum_ttl"], made["dnssec_enabled"]) == ("mail", 900, True)
    changed = bring(world, zone={"minimum_ttl": 300}).json()["zone"]
    assert (changed["minimum_ttl"], changed["template"]) == (300, "mail")
    assert set(faults(bring(world, zone={"minimum_ttl": -1, "nonsense": 1}))) == {
        "zone.minimum_ttl",
        "zone.nonsense",
    }
    assert set(faults(bring(world, user_id=world.uids["anna"], host="web1"))) == {"user_id", "host"}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {""}),
        ({"zone_file": "@ NS a.", "server": "ns1.example.net"}, {""}),
        ({"zone_file": "@ NS a.", "port": 5353}, {""}),
        ({"zone_file": "@ NS a.", "tsig": {"name": "k", "secret": "c2VjcmV0"}}, {""}),
        ({"server": "ns1.example.net", "port": 25}, {""}),
        ({"server": "ns1.example.net", "tsig": {"name": "k", "secret": "secre"}}, {"tsig.secret"}),
        ({"server": "a b", "mode": "x"}, {"server", "mode"}),
        ({"zone_file": "@ NS a.", "domain": "com"}, {"domain"}),
        ({"zone_file": "; nothing"}, {"zone_file.1"}),
    ],
)
def test_what_cannot_be_wished_for_is_refused(world: World, body: dict[str, Any], fields: set[str]) -> None:
    answer = bring(world, "", **body)
    assert set(faults(answer)) == fields
    assert "secre" not in answer.text.replace("secret", "")


def test_a_zone_of_somebody_else_is_as_taken_as_ever_and_limits_hold(world_on_both: World) -> None:
    world = world_on_both
    world.zone("example.com", "bert")
    taken = bring(world)
    assert (taken.status_code, taken.json()["details"]["code"]) == (409, "domain_taken")
    limit = world.call("admin", "PUT", f"/users/{world.uids['anna']}", json={"dns_domains_limit": 1})
    assert limit.status_code == 200
    assert bring(world, domain="one.example", text="@ NS ns1.example.net.").status_code == 201
    full = bring(world, domain="two.example", text="@ NS ns1.example.net.")
    assert (full.status_code, full.json()["details"]["code"]) == (403, "limit_reached")


def test_a_dry_run_tells_lines_and_leaves_nothing(world_on_both: World) -> None:
    world = world_on_both
    with working(world.database):
        answer = bring(world, query="?dry_run=true")
    assert answer.status_code == 200, answer.text
    assert "mail 3600 IN CNAME www.example.com." in answer.json()["import"]["added"]
    assert len(answer.json()["report"]["documents"]) == 7
    assert world.call("anna", "GET", "/dns").json()["total"] == 0


def test_a_zone_is_handed_out_with_its_template_and_what_is_not_served(world_on_both: World) -> None:
    world = world_on_both
    zone = world.zone("example.com", "anna", primary_ns="ns1.example.net")
    world.record(zone, "off", is_active=False)
    world.record(zone, "bücher", value="192.0.2.7")
    text = handed_out(world, zone.uid)
    assert "@ 3600 IN NS ns1.example.net.\n" in text
    assert "xn--bcher-kva 3600 IN A 192.0.2.7\n" in text
    assert "; not served: off 3600 IN A 192.0.2.1\n" in text
    plain = world.call("anna", "GET", f"/dns/{zone.uid}/export", headers={"Accept": "text/plain"})
    assert (plain.headers["content-type"], plain.text) == ("text/plain; charset=utf-8", text)
    same = world.call(
        "anna", "GET", f"/dns/{zone.uid}/export", headers={"If-None-Match": plain.headers["ETag"]}
    )
    assert same.status_code == 304
    assert (
        world.call("anna", "GET", f"/dns/{zone.uid}/export", headers={"Accept": "image/png"}).status_code
        == 406
    )
    assert world.call("bert", "GET", f"/dns/{zone.uid}/export").status_code == 404
    assert world.call("anna", "GET", "/dns/nonsense/export").status_code == 404


def test_what_its_template_gives_a_zone_stays_the_template_s(world: World) -> None:
    zone = world.zone("example.com", "anna", primary_ns="ns1.example.net")
    world.record(zone, "mine")
    out = handed_out(world, zone.uid)
    for mode in ("merge", "replace"):
        told = bring(world, out, mode=mode).json()["import"]
        assert (told["added"], told["changed"], told["deleted"]) == ([], [], [])
        assert told["unchanged"] == len(out.splitlines()) - 3
    assert {name for name, *_ in records(world, zone.uid)} == {"mine"}
    second = bring(world, f"{out}@ 3600 IN NS ns2.example.net.\n").json()["import"]
    assert second["added"] == ["@ 3600 IN NS ns1.example.net.", "@ 3600 IN NS ns2.example.net."]


def test_a_zone_whose_template_is_of_no_use_is_not_handed_out_in_part(world: World) -> None:
    zone = world.zone("example.com", "anna", template="absent")
    answer = world.call("anna", "GET", f"/dns/{zone.uid}/export")
    assert (answer.status_code, answer.json()["details"]["code"]) == (409, "template_failed")


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(written(), min_size=1, max_size=8, unique_by=lambda entry: entry.name))
def test_what_was_handed_out_is_brought_in_as_the_same_zone(world: World, made: list[Any]) -> None:
    made = [
        each for each in made if each.type not in {"NS", "DS"} and (each.name, each.type) != ("@", "CNAME")
    ]
    text = "\n".join(["@ 60 IN NS ns1.example.net.", *map(str, made)])
    first = bring(world, text, zone={"primary_ns": "ns1.example.net"})
    assert first.status_code == 201, first.text
    zone = first.json()["zone"]["id"]
    out = handed_out(world, zone)
    again = bring(world, out, mode="replace")
    assert again.json()["import"] | {"left_out": []} == {
        "mode": "replace", "added": [], "changed": [], "deleted": [], "unchanged": len(made) + 1, "left_out": [],
    }  # fmt: skip
    assert world.call("anna", "DELETE", f"/dns/{zone}").status_code == 204
    second = bring(world, out)
    assert second.status_code == 201, second.text
    back = handed_out(world, second.json()["zone"]["id"])
    assert back.split("\n")[2:] == out.split("\n")[2:]
    assert world.call("anna", "DELETE", f"/dns/{second.json()['zone']['id']}").status_code == 204


def test_the_audit_tells_of_the_zone_and_each_record(world: World) -> None:
    bring(world)
    entries = world.call("admin", "GET", "/audit?action=POST /dns/import&limit=100").json()["entries"]
    assert sorted(entry["object_type"] for entry in entries) == [*["DnsRecord"] * 6, "DnsZone"]


def test_as_many_records_as_may_be_are_brought_in(world: World) -> None:
    text = "@ NS ns1.example.net.\n" + "".join(f"h{n} A 192.0.2.{n % 250}\n" for n in range(MOST_RECORDS + 5))
    found = faults(bring(world, text))
    assert "there is more" in next(iter(found.values()))


def test_a_file_that_was_cut_off_deletes_little_unless_it_is_said(world_on_both: World) -> None:
    world = world_on_both
    text = "@ NS ns1.example.net.\n" + "".join(f"h{n} A 192.0.2.{n}\n" for n in range(1, 20))
    zone = bring(world, text).json()["zone"]["id"]
    cut = {"text": "@ NS ns1.example.net.\nh1 A 192.0.2.1\n", "mode": "replace"}
    refused = bring(world, **cut)
    assert (refused.status_code, refused.json()["details"]["code"]) == (409, "plan_blocked")
    assert "18 of 20 records would be deleted, 5 may be" in refused.json()["error"]
    assert bring(world, **cut, allow_deletes=17).status_code == 409
    assert len(records(world, zone)) == 20
    for allowed in (0, 18):
        with working(world.database):
            told = bring(world, **cut, query="?dry_run=true", allow_deletes=allowed).json()
        assert told["report"]["guard"]["allowed"] is (allowed == 18)
        assert len(told["import"]["deleted"]) == 18
    assert bring(world, text.replace("192.0.2", "198.51.100"), mode="replace").status_code == 200
    few = text.replace("192.0.2", "198.51.100").rsplit("\n", 4)[0]
    assert len(bring(world, few, mode="replace").json()["import"]["deleted"]) == 3
    assert confirmations(world, zone) == {True: 19, False: 3}
    done = bring(world, **cut, allow_deletes=16)
    assert (done.status_code, len(done.json()["import"]["deleted"])) == (200, 16)
    assert confirmations(world, zone) == {True: 35, False: 3}


def confirmations(world: World, zone: str) -> dict[bool, int]:
    """How many deletions of records were confirmed, and how many were not."""
    gone = (documents.c.whole == zone) & documents.c.deleted_at.is_not(None)
    with world.database.reading() as connection:
        return dict(Counter(connection.execute(select(documents.c.confirmed).where(gone)).scalars()))
