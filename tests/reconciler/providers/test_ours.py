"""Zones that are at a provider already are nobody's for the asking: another customer of its account may have them."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from state import store
from state.document import Document
from state.kinds import KINDS
from state.tables import documents
from tests.reconciler.providers.cloudflare import Cloudflare
from tests.reconciler.providers.plane import NAMESERVERS, Plane
from tests.reconciler.providers.powerdns import PowerDns

WWW = {"name": "www", "record_type": "A", "value": "192.0.2.7", "ttl": 300}
THEIRS = {
    ("theirs.example.com.", "NS"): ["ns9.example.net."],
    ("www.theirs.example.com.", "A"): ["198.51.100.1"],
}


@pytest.mark.parametrize("name", ["theirs.example.com", "admin.theirs.example.com", "a.b.theirs.example.com"])
def test_neither_a_zone_that_is_there_nor_one_below_it_is_made(
    plane: Plane, server: PowerDns, name: str
) -> None:
    server.add_zone("theirs.example.com", THEIRS)
    zone = plane.zone(name, NAMESERVERS, {**WWW, "name": "evil"})
    foretold = plane.plan()
    done = plane.reconcile()
    assert not done.retry
    assert plane.says(zone, "Blocked").reason == "ZoneTaken"
    assert plane.says(zone).message.startswith("theirs.example.com is at the provider already")
    assert (name, "ZoneTaken") in [(b["document"], b["reason"]) for b in foretold["blocked"]]
    assert foretold["changes"] == []
    assert server.zones() == ["theirs.example.com."]
    assert server.ask(f"evil.{name}", "A") == []
    assert not plane.sweep().needy


def test_an_empty_zone_that_somebody_made_is_theirs_too(there: Plane, stub: Cloudflare) -> None:
    stub.add_zone("empty.example.com")
    zone = there.zone("empty.example.com", WWW)
    there.reconcile()
    assert there.says(zone).reason == "ZoneTaken"
    there.adopt(zone)
    there.reconcile()
    assert there.says(zone).status


def test_one_that_was_made_for_its_user_can_be_made_again(plane: Plane, server: PowerDns) -> None:
    _gone(plane, plane.zone("again.example.com", NAMESERVERS, WWW))
    assert "again.example.com." in server.zones()
    zone = plane.zone("again.example.com", NAMESERVERS, WWW)
    below = plane.zone("sub.again.example.com", NAMESERVERS, WWW)
    plane.reconcile()
    assert (plane.says(zone).status, plane.says(below).status) == (True, True)


def test_one_that_was_made_for_another_is_not_made_for_a_namesake(plane: Plane, server: PowerDns) -> None:
    _gone(plane, plane.zone("again.example.com", NAMESERVERS, WWW))
    with plane.database.writing() as connection:
        later = {"created_at": datetime.now(UTC)}
        connection.execute(update(documents).where(documents.c.kind == "User").values(**later))
    zone = plane.zone("again.example.com", NAMESERVERS, WWW)
    plane.reconcile()
    assert plane.says(zone).reason == "ZoneTaken"


def test_one_that_was_made_for_another_user_is_not_made(plane: Plane, server: PowerDns) -> None:
    _gone(plane, plane.zone("again.example.com", NAMESERVERS, WWW))
    with plane.database.writing() as connection:
        store.create(connection, KINDS["User"], "ben", "", {"email": "b@example.com"}, actor="test")
        values = {"dns_provider": "there", "template": "none"}
        zone = store.create(connection, KINDS["DnsZone"], "again.example.com", "ben", values, actor="test")
        store.create(connection, KINDS["DnsRecord"], "", "ben", NAMESERVERS, actor="test", whole=zone)
    plane.reconcile()
    assert plane.says(zone).reason == "ZoneTaken"


def _gone(plane: Plane, zone: Document) -> None:
    plane.reconcile()
    assert plane.says(zone).status
    plane.remove(zone)
    plane.reconcile()
