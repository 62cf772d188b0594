"""What a pass does for secondaries, and what a dry run foresees there, as the database holds it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import Connection

from reconciler.changes import Action, Cause, Change, Plan
from reconciler.handing_on import call_secondaries, foreseen, with_keys
from reconciler.lease import Lease
from reconciler.subject import Survey
from reconciler.survey import World, pending_on
from state import reading, store
from state.database import Database
from state.document import Document
from state.kinds import KINDS
from state.resource import sha256
from state.settings import Settings
from state.statuses import settle
from state.targets import list_hosts
from state.zones.copies import copies, copy_of
from state.zones.secondaries import NameServer, assign

CHECKSUM = "transfer_sha256"


class Held:
    """A lease that is ours; how often that was asked."""

    checked = 0

    def check(self, _: Connection) -> None:
        self.checked += 1


def _run(*_: object) -> Mapping[str, Any]:
    raise AssertionError("no host is asked")


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    with database.writing() as connection:
        list_hosts(connection, {"web1": "192.0.2.1", "web2": "192.0.2.2"})
        store.create(connection, KINDS["Package"], "default", "", {}, actor="test")
        spec = {"email": "a@example.com"}
        store.create(connection, KINDS["User"], "anna", "", spec, actor="test", target="web1")
    return World(database, Settings(var=tmp_path), _run, cast("Any", None))


def _zone(world: World, name: str = "example.com") -> Document:
    spec = {"primary_ns": "ns1.example.net"}
    with world.database.writing() as connection:
        return store.create(connection, KINDS["DnsZone"], name, "anna", spec, actor="test")


def _assign(world: World) -> None:
    with world.database.writing() as connection:
        assign(connection, {"web1": NameServer(("web2",))})


def _settled(world: World) -> None:
    with world.database.writing() as connection:
        settle(connection, (*reading.pending(connection, "web1"), *reading.pending(connection, "web2")))


def _with_keys(world: World, held: Held) -> dict[str, Document]:
    subject = with_keys(world, cast("Lease", held), pending_on(world.database, "web1", 100))
    return {d.name: d for d in subject.documents.values()}


def test_keys_are_made_once_and_stored_for_zones_of_hosts_with_secondaries(world: World) -> None:
    _zone(world)
    held = Held()
    assert CHECKSUM not in _with_keys(world, held)["example.com"].kept
    assert held.checked == 0
    _assign(world)
    first = _with_keys(world, held)["example.com"]
    assert _with_keys(world, held)["example.com"] == first
    assert held.checked == 1
    with world.database.reading() as connection:
        assert reading.get(connection, first.uid).kept[CHECKSUM] == first.kept[CHECKSUM]


def _called(world: World, changed: Document, forgotten: tuple[str, ...] = ()) -> frozenset[str]:
    change = Change(Action.UPDATE, "config:named/x", changed.uid, Cause.INTENDED, {}, {})
    plan = Plan(changes=() if forgotten else (change,))
    subject = SimpleNamespace(target="web1", documents={changed.uid: changed})
    found = cast("Survey", SimpleNamespace(subject=subject, plan=plan))
    with world.database.writing() as connection:
        return call_secondaries(connection, found, forgotten)


def test_secondaries_are_called_for_zones_that_are_others_and_for_those_that_are_gone(world: World) -> None:
    _assign(world)
    zone = _zone(world)
    with world.database.reading() as connection:
        (anna,) = (d for d in reading.of_target(connection, "web1") if d.kind == "User")
        (copy,) = copies(connection, ["example.com"])
    _settled(world)
    assert _called(world, anna) == frozenset()
    assert _called(world, zone) == {"web2"}
    with world.database.reading() as connection:
        assert [d.uid for d in reading.pending(connection, "web2")] == [copy.uid]
    gone = replace(zone, deleted_at=datetime.now(UTC))
    assert _called(world, gone, (gone.uid,)) == {"web2"}
    assert _called(world, replace(anna, deleted_at=datetime.now(UTC)), (anna.uid,)) == frozenset()


def _foreseen(world: World, *overlay: Document) -> list[tuple[str, bool]]:
    return [(d.name, d.deleted) for d in foreseen(world, overlay)]


def test_a_dry_run_has_the_copies_that_there_would_be(world: World) -> None:
    _assign(world)
    with world.database.rehearsing() as connection:
        spec = {"primary_ns": "ns1.example.net"}
        zone = store.create(connection, KINDS["DnsZone"], "example.com", "anna", spec, actor="test")
    assert _foreseen(world, zone) == [("example.com", False), ("example.com@web2", False)]
    keyed, copy = foreseen(world, [zone])
    assert copy == copy_of(zone, "web2")
    assert keyed.kept.keys() == {"serial", CHECKSUM}
    with world.database.reading() as connection:
        assert not reading.of_target(connection, "web2")


def test_a_dry_run_ends_copies_with_the_zone_and_knows_what_is_remembered(world: World) -> None:
    _assign(world)
    zone = _zone(world)
    known = _with_keys(world, Held())["example.com"]
    bare = replace(zone, kept={}, sealed=None)
    assert foreseen(world, [bare]) == [replace(bare, kept=known.kept, sealed=known.sealed)]
    assert known.kept[CHECKSUM] != sha256("")
    given = replace(known, kept={**known.kept, "serial": 9}, sealed="what was handed over")
    assert foreseen(world, [given])[0].sealed == "what was handed over"
    deleted = replace(bare, deleted_at=datetime.now(UTC))
    assert _foreseen(world, deleted) == [("example.com", True), ("example.com@web2", True)]
    inactive = replace(bare, spec=bare.spec.model_copy(update={"is_active": False}))
    assert _foreseen(world, inactive) == [("example.com", False), ("example.com@web2", True)]


def test_a_dry_run_where_there_are_no_secondaries_is_as_it_was(world: World) -> None:
    zone = _zone(world)
    assert foreseen(world, [zone]) == [zone]
