"""What a pass is about, as the database holds it."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from reconciler.survey import World, note_own, pending_on, survey, whole_target
from state import store
from state.database import Database
from state.document import Document
from state.keeping import keep
from state.kinds import KINDS
from state.resource import HOSTS_OWN, PLACEHOLDER
from state.settings import Settings
from state.statuses import settle
from state.targets import list_hosts
from tests.state.companies import FACTS, templates


def _company(database: Database) -> Document:
    """A user whose first day is over: nothing of it is pending."""
    with database.writing() as connection:
        list_hosts(connection, {"web1": "192.0.2.1"})
        store.create(connection, KINDS["Package"], "default", "", {}, actor="test")
        anna = store.create(connection, KINDS["User"], "anna", "", {"email": "a@example.com"}, actor="test")
        settle(connection, [anna])
    return anna


def _site(database: Database, name: str, **values: Any) -> Document:
    with database.writing() as connection:
        return store.create(connection, KINDS["WebDomain"], name, "anna", values, actor="test")


def _settled(database: Database) -> None:
    """What was pending was looked at."""
    reached = pending_on(database, "web1", 100).documents.values()
    with database.writing() as connection:
        settle(connection, reached)


def test_the_tombstone_in_the_way_of_a_new_name_joins_even_when_the_new_one_was_changed_already(
    database: Database,
) -> None:
    _company(database)
    old = _site(database, "example.com")
    with database.writing() as connection:
        store.remove(connection, old, actor="test")
    _settled(database)
    new = _site(database, "example.com")
    with database.writing() as connection:
        new = store.change(connection, new, {"aliases": ["www.example.com"]}, actor="test")
    assert new.generation == 2
    subject = pending_on(database, "web1", 100)
    assert subject.documents.keys() == subject.statuses.keys() == {old.uid, new.uid}


def test_a_zone_that_changes_is_planned_beyond_the_serial_that_is_out_and_no_other_one(
    database: Database, tmp_path: Path
) -> None:
    _company(database)
    with database.writing() as connection:
        zones = [
            store.create(
                connection, KINDS["DnsZone"], name, "anna", {"primary_ns": "ns1.example.net."}, actor="test"
            )
            for name in ("a.example", "b.example")
        ]
        for zone in zones:
            keep(connection, zone.uid, {"serial": 3000000000})
    out = {"config:named/a.example.zone": 3000000007, "config:named/b.example.zone": 2999999999}

    def run(playbook: str, target: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        known = dict.fromkeys(request["resources"])
        found = {"equal": [], "differing": known, "texts": {}, "extra": {}, "facts": asdict(FACTS)}
        return {**found, "out": {**out, "config:named/gone.example.zone": 1}}

    found = survey(World(database, Settings(var=tmp_path), run, templates), whole_target(database, "web1"))
    serials = [found.catalog.outcomes[zone.uid].ahead["serial"] for zone in zones]
    assert serials == [3000000008, 3000000001]
    assert " 3000000008 " in str(found.catalog.resources["config:named/a.example.zone"].content)


def test_of_what_is_new_is_asked_only_as_long_as_the_hosts_own_was_not_found_right(
    database: Database, tmp_path: Path
) -> None:
    _company(database)
    _site(database, "example.com")
    asked: list[str] = []

    def run(playbook: str, target: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        asked.append(playbook)
        known = dict.fromkeys(request["resources"])
        return {"equal": [], "differing": known, "texts": {}, "extra": {}, "facts": asdict(FACTS)}

    world = World(database, Settings(var=tmp_path), run, templates)
    subject = whole_target(database, "web1")
    found = survey(world, subject, presume_absent=True)
    assert PLACEHOLDER in {change.key for change in found.plan.changes}
    own = {
        key: found.catalog.resources[key].attributes for key in HOSTS_OWN if key in found.catalog.resources
    }
    asked.clear()
    note_own(world, "web1", found.catalog, own)
    assert PLACEHOLDER not in {c.key for c in survey(world, subject, presume_absent=True).plan.changes}
    assert asked == []
    note_own(world, "web1", found.catalog, {PLACEHOLDER: {"usable": False}})
    survey(world, subject, presume_absent=True)
    assert set(asked) == {"observe"}


def test_deletions_in_doubt_are_counted_beyond_the_batch(database: Database) -> None:
    _company(database)
    sites = [_site(database, f"{n}.example.com") for n in range(4)]
    with database.writing() as connection:
        for number, each in enumerate(sites):
            store.remove(connection, each, actor="test", confirmed=number == 0)
    subject = pending_on(database, "web1", 2)
    assert (len(subject.documents), subject.total, subject.doubtful) == (2, 5, 3)
