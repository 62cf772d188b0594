"""Zones and their records over HTTP: nested, authorised by their zone, and all the rest as of every collection."""

from typing import Any

import httpx
import pytest
from sqlalchemy import update

from state.dns.sizes import MOST_OF_A_TYPE
from state.document import Document
from state.keeping import keep
from state.tables import documents
from tests.api.conftest import World, working


@pytest.fixture
def zone(world_on_both: World) -> Document:
    return world_on_both.zone("example.com", "anna")


def call(world: World, method: str, path: str, who: str = "anna", **body: Any) -> httpx.Response:
    return world.call(who, method, path, **({"json": body} if body else {}))


def fields(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [each["field"] for each in answer.json()["details"]["errors"]]


def test_a_record_is_made_changed_and_deleted_below_its_zone(world_on_both: World, zone: Document) -> None:
    world, base = world_on_both, f"/dns/{zone.uid}/records"
    made = call(world, "POST", base, name="www", record_type="A", value="192.0.2.1")
    assert made.status_code == 201, made.text
    record = made.json()
    assert made.headers["Location"] == f"/api/v1{base}/{record['id']}"
    assert (record["zone_id"], record["name"], record["priority"], record["ttl"]) == (
        zone.uid,
        "www",
        0,
        3600,
    )
    one = f"{base}/{record['id']}"
    assert call(world, "GET", one).json()["document"] == record["document"]
    assert call(world, "PUT", one, value="192.0.2.2").json()["value"] == "192.0.2.2"
    assert call(world, "PATCH", one, ttl=None).json()["ttl"] == 3600
    assert call(world, "PUT", one, document=record["document"]).status_code == 200
    assert fields(call(world, "PUT", one, document="other.example.com")) == ["document"]
    assert call(world, "DELETE", one).status_code == 204
    assert call(world, "GET", base).json()["total"] == 0


@pytest.mark.parametrize(
    "domain",
    ["пример.рф", f"{'a' * 40}.example", "8.b.d.0.1.0.0.2.ip6.arpa", ".".join(["0"] * 32) + ".ip6.arpa"],
)
def test_a_zone_needs_a_name_and_nothing_else(world: World, domain: str) -> None:
    made = world.call("anna", "POST", "/dns", json={"domain": domain})
    assert made.status_code == 201, made.text
    assert made.json()["admin_email"] == f"hostmaster@{made.json()['domain']}"


@pytest.mark.parametrize("domain", ["com", "192.0.2.1", "a b", "x" * 300])
def test_of_a_name_that_is_none_that_alone_is_told(world: World, domain: str) -> None:
    assert fields(world.call("anna", "POST", "/dns", json={"domain": domain})) == ["domain"]


def test_a_record_is_found_in_its_own_zone_only(world_on_both: World, zone: Document) -> None:
    world = world_on_both
    other, record = world.zone("example.org", "anna"), world.record(zone, "www")
    path = f"/dns/{other.uid}/records"
    assert call(world, "GET", path).json()["records"] == []
    for method, body in (("GET", {}), ("PUT", {"ttl": 60}), ("PATCH", {"ttl": 60}), ("DELETE", {})):
        assert call(world, method, f"{path}/{record.uid}", **body).status_code == 404
    assert call(world, "GET", f"/dns/{record.uid}/records").status_code == 404
    assert call(world, "GET", "/dns/nonsense/records").status_code == 404
    foreign = call(
        world, "POST", f"/dns/{zone.uid}/records", "bert", name="x", record_type="A", value="192.0.2.1"
    )
    assert foreign.status_code == 404


def test_a_name_stays_what_it_is_whatever_else_is_changed(world_on_both: World, zone: Document) -> None:
    world, base = world_on_both, f"/dns/{zone.uid}/records"
    told = {"record_type": "A", "value": "192.0.2.1"}
    assert fields(call(world, "POST", base, name="www.example.com.example.com.", **told)) == ["name"]
    made = call(world, "POST", base, name="www.com.example.com.", **told).json()
    assert made["name"] == "www.com"
    assert call(world, "PATCH", f"{base}/{made['id']}", ttl=300).json()["name"] == "www.com"


def test_no_mail_is_said_alone_and_no_more_of_a_type_than_is_served(
    world_on_both: World, zone: Document
) -> None:
    world, base = world_on_both, f"/dns/{zone.uid}/records"
    assert call(world, "POST", base, record_type="MX", value=".", priority=0).status_code == 201
    assert fields(call(world, "POST", base, record_type="MX", value="mail", priority=5)) == ["value"]
    for n in range(MOST_OF_A_TYPE):
        world.record(zone, "many", value=f"192.0.2.{n}")
    assert fields(call(world, "POST", base, name="many", record_type="A", value="198.51.100.1")) == ["value"]
    assert call(world, "POST", base, name="many", record_type="TXT", value="x").status_code == 201


def test_records_are_filtered_and_paged_as_everything(world_on_both: World, zone: Document) -> None:
    world, base = world_on_both, f"/dns/{zone.uid}/records"
    for n in range(5):
        world.record(zone, f"n{n}", record_type="TXT" if n % 2 else "A", value="192.0.2.1")
    page = call(world, "GET", f"{base}?record_type=TXT&limit=1&sort=name&order=desc").json()
    assert (page["total"], page["pages"], page["records"][0]["name"]) == (2, 2, "n3")
    assert call(world, "GET", f"{base}?zone_id={zone.uid}&search=n4").json()["total"] == 1
    assert fields(call(world, "GET", f"{base}?nonsense=1")) == ["nonsense"]


def test_what_a_record_cannot_say_is_refused_all_at_once(world_on_both: World, zone: Document) -> None:
    base = f"/dns/{zone.uid}/records"
    answer = call(world_on_both, "POST", base, name="a..b", record_type="A", value="no", ttl=60)
    assert sorted(fields(answer)) == ["name", "value"]
    assert fields(call(world_on_both, "POST", base, record_type="MX", value="mail")) == ["priority"]
    unknown = call(world_on_both, "POST", base, record_type="A", value="192.0.2.1", user_id="x", document="y")
    assert sorted(fields(unknown)) == ["document", "user_id"]


def test_a_zone_counts_against_its_owner_s_limit_and_its_name_is_one_tenant_s(
    world_on_both: World, zone: Document
) -> None:
    world = world_on_both
    anna = f"/users/{world.uids['anna']}"
    assert call(world, "GET", anna, "admin").json()["dns_domains_count"] == 1
    assert call(world, "PUT", anna, "admin", dns_domains_limit=1).status_code == 200
    full = call(world, "POST", "/dns", domain="example.org")
    assert (full.status_code, full.json()["details"]["code"]) == (403, "limit_reached")
    for path, name in (("/domains", "www.example.com"), ("/dns", "example.com"), ("/domains", "example.com")):
        taken = call(world, "POST", path, "bert", domain=name)
        assert (taken.status_code, taken.json()["details"]["code"]) == (409, "domain_taken")
    assert call(world, "POST", "/domains", domain="example.com").status_code == 201


def test_a_set_may_replace_an_address_by_an_alias(world_on_both: World, zone: Document) -> None:
    world = world_on_both

    def put(**specs: dict[str, str]) -> httpx.Response:
        documents = [
            {"kind": "DnsRecord", "metadata": {"name": f"{word}.example.com", "owner": "anna"}, "spec": spec}
            for word, spec in specs.items()
        ]
        with working(world.database):
            made = call(world, "POST", "/plans?wait=10", documents=documents, prune=True, owner="anna")
        if made.status_code != 201:
            return made
        return call(world, "POST", f"/plans/{made.json()['id']}/apply")

    address = {"name": "www", "record_type": "A", "value": "192.0.2.1"}
    alias = {"name": "www", "record_type": "CNAME", "value": "example.net."}
    assert put(one=address).status_code == 200
    assert fields(put(one=address, two=alias)) == [f"documents.{n}.spec.record_type" for n in (0, 1)]
    assert put(two=alias).status_code == 200
    records = call(world, "GET", f"/dns/{zone.uid}/records").json()["records"]
    assert [each["record_type"] for each in records] == ["CNAME"]


def test_a_zone_shows_what_its_parent_is_to_publish_once_it_is_signed(
    world_on_both: World, zone: Document
) -> None:
    world, ds = world_on_both, ["60485 13 2 AB"]
    one = f"/dns/{zone.uid}"
    assert call(world, "PUT", one, dnssec_enabled=True).json()["ds_records"] == []
    with world.database.writing() as connection:
        keep(
            connection,
            zone.uid,
            {"ds_records": ds, "dnskey_records": ["257 3 13 AA=="], "dnssec": {"tag": 1}},
        )
    shown = call(world, "GET", one).json()
    assert (shown["ds_records"], shown["dnskey_records"]) == (ds, ["257 3 13 AA=="])
    assert "dnssec" not in shown
    assert call(world, "GET", "/dns").json()["zones"][0]["ds_records"] == ds
    assert call(world, "GET", "/dns?ds_records=60485").status_code == 422
    assert fields(call(world, "PUT", one, ds_records=ds)) == ["ds_records"]


def test_events_tell_of_records(world_on_both: World, zone: Document) -> None:
    world = world_on_both
    record = call(
        world, "POST", f"/dns/{zone.uid}/records", name="w", record_type="A", value="192.0.2.1"
    ).json()
    call(world, "PUT", f"/dns/{zone.uid}/records/{record['id']}", ttl=60)
    told = world.call("anna", "GET", "/events?wait=0", headers={"Last-Event-ID": "0"}).text
    assert "dns.zone.created" in told
    assert "dns.record.created" in told
    assert "dns.record.updated" in told


def test_names_are_given_shown_and_found_in_either_form(world_on_both: World) -> None:
    world = world_on_both
    zone = call(world, "POST", "/dns", domain="bücher.example").json()
    assert (zone["domain"], zone["unicode_name"]) == ("xn--bcher-kva.example", "bücher.example")
    assert call(world, "GET", "/documents/DnsZone/bücher.example").json()["metadata"]["uid"] == zone["id"]
    call(world, "POST", "/dns", domain="plain.example")
    for query in ("domain=bücher.example", "domain=xn--bcher-kva.example", "unicode_name=BÜCHER.example"):
        found = call(world, "GET", f"/dns?{query}").json()
        assert [each["id"] for each in found["zones"]] == [zone["id"]], query
    assert call(world, "GET", "/dns?domain=bücher.example,plain.example").json()["total"] == 2
    base = f"/dns/{zone['id']}/records"
    for name in ("käse", "xn--kse-qla", "käse.bücher.example", "*.käse"):
        made = call(world, "POST", base, name=name, record_type="TXT", value=name)
        assert made.status_code == 201, made.text
    assert (made.json()["name"], made.json()["unicode_name"]) == ("*.xn--kse-qla", "*.käse")
    assert call(world, "GET", f"{base}?name=käse").json()["total"] == 3
    assert call(world, "GET", f"{base}?unicode_name=xn--kse-qla").json()["total"] == 3
    assert (
        call(world, "POST", base, name="ziel", record_type="CNAME", value="straße.example.net").status_code
        == 201
    )
    site = call(world, "POST", "/domains", domain="www.bücher.example").json()
    assert site["unicode_name"] == "www.bücher.example"
    assert call(world, "GET", "/domains?domain=www.bücher.example").json()["total"] == 1
    assert call(world, "GET", "/dns?domain=ü..example,xn--zz").json()["total"] == 0


def test_a_dry_run_tells_of_records_as_lines(world_on_both: World, zone: Document) -> None:
    world = world_on_both
    base = f"/dns/{zone.uid}/records"
    one = call(world, "POST", base, name="www", record_type="MX", value="mail", priority=5).json()

    def line(method: str, path: str, **body: Any) -> Any:
        with working(world.database):
            answer = call(world, method, f"{path}?dry_run=true", **body)
        (document,) = answer.json()["report"]["documents"]
        return document["line"]["before"], document["line"]["after"]

    before = "www 3600 IN MX 5 mail.example.com."
    assert line("POST", base, name="x", record_type="A", value="192.0.2.1") == (None, "x 3600 IN A 192.0.2.1")
    path = f"{base}/{one['id']}"
    assert line("PUT", path, ttl=60) == (before, "www 60 IN MX 5 mail.example.com.")
    assert line("PUT", path, is_active=False) == (before, f"; {before}")
    assert line("DELETE", path) == (before, None)


def test_more_than_an_answer_has_room_for_is_refused(world_on_both: World, zone: Document) -> None:
    base = f"/dns/{zone.uid}/records"
    for letter, status in (("x", 201), ("y", 422)):
        made = call(world_on_both, "POST", base, name="t", record_type="TXT", value=letter * 40_000)
        assert made.status_code == status, made.text
    assert "60000 bytes" in made.text
    assert (
        call(world_on_both, "POST", base, name="u", record_type="TXT", value="y" * 40_000).status_code == 201
    )


@pytest.mark.parametrize(
    "forced",
    [
        {"name": "www", "record_type": "A"},
        {"name": "www", "record_type": ["A"], "value": 7, "priority": None, "ttl": "1"},
        {"name": "www", "record_type": "A", "value": "no address", "priority": 0, "ttl": 60},
        {"name": "www"},
        {"record_type": {}},
        {},
        [],
    ],
)
def test_a_record_that_was_spoiled_in_the_database_is_in_nobodys_way(
    world_on_both: World, zone: Document, forced: Any
) -> None:
    world, base = world_on_both, f"/dns/{zone.uid}/records"
    good = call(world, "POST", base, name="good", record_type="A", value="192.0.2.1").json()
    spoiled = call(world, "POST", base, name="www", record_type="A", value="192.0.2.2").json()
    one = f"{base}/{spoiled['id']}"
    with world.database.writing() as connection:
        row = documents.c.uid == spoiled["id"]
        connection.execute(update(documents).where(row).values(spec=forced))
    assert call(world, "GET", base).json()["total"] == 2
    assert call(world, "GET", one).status_code == 200
    assert call(world, "GET", "/dns").status_code == 200
    assert call(world, "GET", f"/dns/{zone.uid}/export").status_code == 200
    beside = call(world, "POST", base, name="www", record_type="A", value="192.0.2.3")
    assert beside.status_code == 201, beside.text
    assert call(world, "PATCH", f"{base}/{good['id']}", ttl=60).status_code == 200
    assert call(world, "PUT", one, value="no address").status_code == 422
    whole = {"name": "www", "record_type": "A", "value": "192.0.2.4", "ttl": 60, "priority": 0}
    mended = call(world, "PUT", one, **whole)
    assert mended.status_code == 200, mended.text
    assert mended.json()["value"] == "192.0.2.4"
    with world.database.writing() as connection:
        connection.execute(update(documents).where(row).values(spec=forced))
    assert call(world, "DELETE", one).status_code == 204
    assert call(world, "GET", base).json()["total"] == 2
