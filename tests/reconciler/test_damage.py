"""A pass with a document that somebody damaged in the database makes all others true."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from reconciler.lease import Contender, Lease
from reconciler.loop import reconcile
from reconciler.survey import World
from state import store
from state.database import Database
from state.document import Condition, Document
from state.kinds import KINDS
from state.settings import Settings
from state.statuses import load_statuses, wake
from state.targets import list_hosts, seen
from tests.reconciler.worlds import condition
from tests.state.companies import FACTS, templates

NO_JSON = ("{", "", b"\xff\xfe{", "[" * 100000)
NO_OBJECT = ('"x"', "5", "[]", '{"cls": 1, "_fields_set": 1, "self": 1}')
ENDLESS = '{"name": "www", "record_type": "A", "value": "192.0.2.1", "priority": 0, "is_active": true, "ttl": 1e400}'


@dataclass
class Host:
    """What is there by key: it does whatever it is told, and anything is right."""

    there: dict[str, Any] = field(default_factory=dict)

    def __call__(self, playbook: str, target: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        if playbook == "observe":
            differing = {key: self.there.get(key) for key in request["resources"]}
            return {"equal": [], "differing": differing, "texts": {}, "extra": {}, "facts": asdict(FACTS)}
        changes = {change["key"]: change["attributes"] for change in request["changes"]}
        self.there |= changes
        results = {key: {"status": "applied"} for key in changes}
        return {"fenced": False, "results": results, "observed": changes, "services": {}}


@dataclass
class Plane:
    """Anna has two zones, each with a record; all of it is true."""

    world: World
    lease: Lease
    host: Host
    zones: dict[str, Document] = field(default_factory=dict)
    records: dict[str, Document] = field(default_factory=dict)

    def populate(self) -> None:
        server = {"primary_ns": "ns1.example.net."}
        a = {"name": "www", "record_type": "A", "value": "192.0.2.1"}
        with self.world.database.writing() as connection:
            list_hosts(connection, {"web1": "192.0.2.1"})
            seen(connection, "web1", FACTS)
            for kind, values in (("Package", {}), ("User", {"email": "anna@example.com"})):
                name = "anna" if kind == "User" else "default"
                store.create(connection, KINDS[kind], name, "", values, actor="test")
            for name in ("good.example", "bad.example"):
                zone = store.create(connection, KINDS["DnsZone"], name, "anna", server, actor="test")
                self.zones[name] = zone
                self.records[name] = store.create(
                    connection, KINDS["DnsRecord"], "", "anna", a, actor="test", whole=zone
                )
        reconcile(self.world, self.lease)
        assert all(self.ready(each).status for each in (*self.zones.values(), *self.records.values()))

    def damage(self, table: str, column: str, document: Document, value: str | bytes) -> None:
        query = text(f"UPDATE {table} SET {column} = :value WHERE uid = :uid")
        with self.world.database.writing() as connection:
            assert connection.execute(query, {"value": value, "uid": document.uid}).rowcount == 1
            wake(connection, [each.uid for each in self.zones.values()])

    def ready(self, document: Document) -> Condition:
        with self.world.database.reading() as connection:
            return condition(load_statuses(connection, [document])[document.uid], "Ready")

    def change(self) -> None:
        """Changes the good zone, which a pass makes true."""
        with self.world.database.writing() as connection:
            store.change(connection, self.records["good.example"], {"value": "192.0.2.77"}, actor="test")
        before = self.host.there["config:named/good.example.zone"]
        assert reconcile(self.world, self.lease).documents
        assert self.ready(self.zones["good.example"]).status
        assert self.ready(self.records["good.example"]).status
        assert self.host.there["config:named/good.example.zone"] != before


@pytest.fixture
def plane(sqlite: Database, tmp_path: Path) -> Plane:
    host = Host()
    lease = Contender(sqlite).take("web1")
    assert lease is not None
    made = Plane(World(sqlite, Settings(var=tmp_path), host, templates), lease, host)
    made.populate()
    return made


@pytest.mark.parametrize("value", [*NO_JSON, *NO_OBJECT, ENDLESS])
def test_a_record_that_is_none_any_more_is_not_served_and_says_so(plane: Plane, value: str | bytes) -> None:
    plane.damage("documents", "spec", plane.records["bad.example"], value)
    plane.change()
    told = plane.ready(plane.records["bad.example"])
    assert (told.status, told.reason) == (False, "Invalid")
    assert "is missing, or of another kind" in told.message
    assert plane.ready(plane.zones["bad.example"]).status


@pytest.mark.parametrize("value", [*NO_JSON, *NO_OBJECT])
def test_a_zone_that_is_none_any_more_says_so_and_stays_as_it_is(plane: Plane, value: str | bytes) -> None:
    plane.damage("documents", "spec", plane.zones["bad.example"], value)
    plane.change()
    told = plane.ready(plane.zones["bad.example"])
    assert (told.status, told.reason) == (False, "Invalid")
    assert told.message == "it has no primary_ns, admin_email any more: write it again as a whole"


@pytest.mark.parametrize("value", [*NO_JSON, *NO_OBJECT])
def test_a_zone_of_which_nothing_is_remembered_any_more_is_served(plane: Plane, value: str | bytes) -> None:
    plane.damage("documents", "kept", plane.zones["bad.example"], value)
    plane.change()
    assert plane.ready(plane.zones["bad.example"]).status


@pytest.mark.parametrize("value", [*NO_JSON, *NO_OBJECT])
@pytest.mark.parametrize("column", ["conditions", "applied", "refused", "repairs"])
def test_a_document_of_which_nothing_is_known_any_more_is_looked_at(
    plane: Plane, column: str, value: str | bytes
) -> None:
    plane.damage("statuses", column, plane.zones["bad.example"], value)
    plane.change()
    assert plane.ready(plane.zones["bad.example"]).status


@pytest.mark.parametrize("value", ["{", '{"cls": 1}'])
@pytest.mark.parametrize("kind", ["User", "WebDomain", "Certificate"])
def test_whatever_it_is_that_is_none_any_more_others_are_made_true(
    plane: Plane, kind: str, value: str
) -> None:
    made = {
        "User": ("bert", "", {"email": "bert@example.com"}),
        "WebDomain": ("bert.example", "bert", {"ssl_enabled": True, "letsencrypt_enabled": True}),
        "Certificate": ("more.bert.example", "bert", {"acme_provider": "letsencrypt"}),
    }
    with plane.world.database.writing() as connection:
        documents = {
            each: store.create(connection, KINDS[each], name, owner, values, actor="test")
            for each, (name, owner, values) in made.items()
        }
    reconcile(plane.world, plane.lease)
    plane.damage("documents", "spec", documents[kind], value)
    with plane.world.database.writing() as connection:
        wake(connection, [each.uid for each in documents.values()])
    plane.change()
    assert not plane.ready(documents[kind]).status
    assert "it has no " in plane.ready(documents[kind]).message
