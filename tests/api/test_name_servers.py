"""A zone keeps its name servers, and these their addresses: no write takes the last one, alone or in a set."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from state import targets
from state.compiling import Facts
from state.document import Document
from tests.api.conftest import World, working


@pytest.fixture
def bare(world_on_both: World) -> Document:
    return world_on_both.zone("example.com", "anna", template="none", primary_ns="ns1.example.net")


def post(world: World, zone: Document, name: str, kind: str, value: str, **more: Any) -> httpx.Response:
    body = {"name": name, "record_type": kind, "value": value, **more}
    return world.call("anna", "POST", f"/dns/{zone.uid}/records", json=body)


def made(world: World, zone: Document, name: str, kind: str, value: str) -> str:
    answer = post(world, zone, name, kind, value)
    assert answer.status_code == 201, answer.text
    return f"/dns/{zone.uid}/records/{answer.json()['id']}"


def needed(answer: httpx.Response) -> str:
    assert (answer.status_code, answer.json()["details"]["code"]) == (409, "needed"), answer.text
    return str(answer.json()["error"])


def fault(answer: httpx.Response) -> tuple[str, str]:
    assert answer.status_code == 422, answer.text
    (only,) = answer.json()["details"]["errors"]
    return only["field"], only["message"]


def test_a_zone_without_a_server_is_begun_and_then_keeps_one(world_on_both: World, bare: Document) -> None:
    world = world_on_both
    www = made(world, bare, "www", "A", "192.0.2.1")
    assert world.call("anna", "DELETE", www).status_code == 204
    one = made(world, bare, "@", "NS", "ns1.example.net.")
    assert "add a record of type NS" in needed(world.call("anna", "DELETE", one))
    assert "add a record of type NS" in needed(world.call("anna", "PUT", one, json={"is_active": False}))
    assert "add a record of type NS" in needed(world.call("anna", "PUT", one, json={"name": "sub"}))
    other = made(world, bare, "@", "NS", "ns2.example.net.")
    assert world.call("anna", "DELETE", one).status_code == 204
    assert world.call("anna", "PUT", other, json={"ttl": 60}).status_code == 200
    needed(world.call("anna", "DELETE", other))
    assert world.call("anna", "DELETE", f"/dns/{bare.uid}").status_code == 204


def test_a_server_within_the_zone_needs_an_address_first_and_keeps_it(
    world_on_both: World, bare: Document
) -> None:
    world = world_on_both
    field, message = fault(post(world, bare, "@", "NS", "ns1"))
    assert (field, "ns1.example.com. is in the zone and has no address: add its A or AAAA" in message) == (
        "value",
        True,
    )
    assert fault(post(world, bare, "sub", "NS", "ns.sub.example.com."))[0] == "value"
    address = made(world, bare, "ns1", "A", "192.0.2.1")
    server = made(world, bare, "@", "NS", "ns1")
    assert "add its A or AAAA" in needed(world.call("anna", "DELETE", address))
    assert "add its A or AAAA" in needed(world.call("anna", "PUT", address, json={"name": "ns2"}))
    assert fault(world.call("anna", "PUT", server, json={"value": "ns2"}))[0] == "value"
    assert world.call("anna", "PUT", address, json={"value": "192.0.2.2"}).status_code == 200
    second = made(world, bare, "ns1", "AAAA", "2001:db8::1")
    assert world.call("anna", "DELETE", address).status_code == 204
    needed(world.call("anna", "DELETE", second))


def test_a_dry_run_says_the_same(world_on_both: World, bare: Document) -> None:
    world = world_on_both
    server = made(world, bare, "@", "NS", "ns1.example.net.")
    needed(world.call("anna", "DELETE", f"{server}?dry_run=true"))


def test_a_template_gives_servers_and_is_not_taken_for_one_without(world_on_both: World) -> None:
    world = world_on_both
    with world.database.writing() as connection:
        targets.seen(connection, "web1", Facts(ipv4=("192.0.2.1",)))
    zone = world.zone("example.org", "anna")
    path = f"/dns/{zone.uid}"
    assert "add a record of type NS" in needed(world.call("anna", "PUT", path, json={"template": "none"}))
    own = made(world, zone, "@", "NS", "ns1.example.net.")
    assert world.call("anna", "DELETE", own).status_code == 204
    assert "has no address" in needed(post(world, zone, "ns1", "CNAME", "ns1.example.net."))
    made(world, zone, "@", "NS", "ns1.example.net.")
    assert world.call("anna", "PUT", path, json={"template": "none"}).status_code == 200
    assert world.call("anna", "PUT", path, json={"minimum_ttl": 60}).status_code == 200


def test_what_is_not_served_here_or_cannot_be_judged_is_let_be(world_on_both: World) -> None:
    world = world_on_both
    for name, values in (
        ("one", {"is_active": False}),
        ("two", {"dns_provider": "other"}),
        ("three", {"template": "absent"}),
    ):
        zone = world.zone(f"{name}.example", "anna", **values)
        server = made(world, zone, "@", "NS", "ns1")
        assert world.call("anna", "DELETE", server).status_code == 204


def test_a_set_is_judged_as_a_whole(world_on_both: World) -> None:
    world = world_on_both
    spec = {"template": "none", "primary_ns": "ns1.example.net"}
    zone = {"kind": "DnsZone", "metadata": {"name": "example.com", "owner": "anna"}, "spec": spec}
    server, address = (
        {"kind": "DnsRecord", "metadata": {"name": f"{word}.example.com", "owner": "anna"}, "spec": spec}
        for word, spec in (
            ("server", {"name": "@", "record_type": "NS", "value": "ns1"}),
            ("address", {"name": "ns1", "record_type": "A", "value": "192.0.2.1"}),
        )
    )

    def put(*documents: dict[str, Any], **more: Any) -> httpx.Response:
        with working(world.database):
            answer = world.call("anna", "POST", "/plans?wait=10", json={"documents": documents, **more})
        if answer.status_code != 201:
            return answer
        return world.call("anna", "POST", f"/plans/{answer.json()['id']}/apply")

    assert fault(put(zone, server))[0] == "documents.1.spec.value"
    assert put(server, zone, address).status_code == 200
    needed(put(zone, server, prune=True, owner="anna"))
    assert put(zone, address, server, prune=True, owner="anna").status_code == 200


def test_a_zone_file_is_judged_as_a_whole(world_on_both: World) -> None:
    world = world_on_both

    def bring(text: str, mode: str = "replace") -> httpx.Response:
        return world.call(
            "anna", "POST", "/dns/import", json={"domain": "example.com", "zone_file": text, "mode": mode}
        )

    assert fault(bring("@ NS ns1\n"))[0] == "zone_file.1.value"
    assert bring("@ NS ns1\nns1 A 192.0.2.1\n").status_code == 201
    assert "NS" in needed(bring("ns1 A 192.0.2.1\n"))
    assert bring("@ NS ns2\nns2 A 192.0.2.1\n").status_code == 200


def test_what_would_hide_the_address_that_a_wildcard_gives_a_server_is_refused(
    world_on_both: World, bare: Document
) -> None:
    world = world_on_both
    made(world, bare, "*", "A", "192.0.2.1")
    made(world, bare, "@", "NS", "ns1")
    assert "has no address" in needed(post(world, bare, "ns1", "TXT", "hides it"))
    assert "has no address" in needed(post(world, bare, "below.ns1", "TXT", "hides it too"))
    made(world, bare, "other", "TXT", "hides nothing")
    made(world, bare, "ns1", "A", "192.0.2.2")
    made(world, bare, "ns1", "TXT", "hides nothing any more")


def test_nothing_else_comes_to_where_a_wildcard_gives_a_server_its_address(
    world_on_both: World, bare: Document
) -> None:
    world = world_on_both
    made(world, bare, "*.w", "A", "192.0.2.1")
    made(world, bare, "@", "NS", "ns1.w.example.com.")
    elsewhere = made(world, bare, "t", "TXT", "hides nothing here")
    assert "has no address" in needed(world.call("anna", "PUT", elsewhere, json={"name": "n.ns1.w"}))
    assert world.call("anna", "PUT", elsewhere, json={"name": "t.w"}).status_code == 200
    off = post(world, bare, "ns1.w", "TXT", "hides nothing yet", is_active=False)
    assert off.status_code == 201, off.text
    path = f"/dns/{bare.uid}/records/{off.json()['id']}"
    assert "has no address" in needed(world.call("anna", "PUT", path, json={"is_active": True}))
    assert world.call("anna", "PUT", path, json={"value": "hides nothing still"}).status_code == 200
    assert world.call("anna", "DELETE", path).status_code == 204


def test_a_wildcard_of_a_template_gives_servers_their_addresses_too(
    world_on_both: World, tmp_path: Path
) -> None:
    world, folder = world_on_both, tmp_path / "dns/zone"
    folder.mkdir(parents=True)
    (folder / "wild.zone.j2").write_text("@ NS ns1.example.net.\n* A 192.0.2.1\n")
    world.open(templates=tmp_path)
    zone = world.zone("example.org", "anna", template="wild")
    made(world, zone, "@", "NS", "ns1")
    assert "has no address" in needed(post(world, zone, "ns1", "TXT", "hides it"))
    made(world, zone, "other", "TXT", "hides nothing")
    (folder / "wild.zone.j2").write_text("no template any more\n")
    made(world, zone, "ns1", "TXT", "cannot be judged")
