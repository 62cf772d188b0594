"""The report of a plan: every document that it is about, whatever its scope, and what becomes of them on hosts."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from reconciler.dry_run import make_report
from reconciler.guard import judge
from reconciler.survey import World, pending_on, survey, whole_target
from state import reading, store
from state.certificates.chains import kept_chain, read_chain
from state.database import Database
from state.document import Document, Status
from state.keeping import keep, put_away
from state.kinds import KINDS
from state.plans import Plan, pack
from state.resource import digest
from state.settings import Settings
from state.statuses import save_statuses
from state.targets import list_hosts
from tests.state.companies import FACTS, templates
from tests.state.vouching import vouch

NAME = "take.example"
FILES = {f"config:nginx/tls/{NAME}.crt", f"config:nginx/private/{NAME}.key"}


class Host:
    """What is there, by key; its validators accept everything."""

    def __init__(self) -> None:
        self.there: dict[str, Any] = {}

    def __call__(self, playbook: str, target: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        if playbook == "apply":
            return {"fenced": False, "results": {}}
        asked = request["resources"]
        equal = [key for key in asked if key in self.there and digest(self.there[key]) == asked[key]]
        differing = {key: self.there.get(key) for key in asked if key not in equal}
        return {"equal": equal, "differing": differing, "texts": {}, "extra": {}, "facts": asdict(FACTS)}


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def world(database: Database, tmp_path: Path, host: Host) -> World:
    with database.writing() as connection:
        list_hosts(connection, {"web1": "192.0.2.1"})
        store.create(connection, KINDS["Package"], "default", "", {}, actor="test")
        for name in ("ann", "ben"):
            spec = {"email": f"{name}@example.com"}
            store.create(connection, KINDS["User"], name, "", spec, actor="test", target="web1")
    return World(database, Settings(var=tmp_path), host, templates)


def _certificate(world: World, owner: str) -> Document:
    """One's own, with its key."""
    mine = vouch(NAME)
    with world.database.writing() as connection:
        values = {"acme_provider": None}
        made = store.create(connection, KINDS["Certificate"], NAME, owner, values, actor="test")
        keep(connection, made.uid, {**kept_chain(read_chain(mine.chain)), "key_sha256": "of the key"})
        put_away(connection, world.settings.var, made.uid, {"private_key": mine.key})
        return reading.get(connection, made.uid)


def _everything_is_there(world: World, host: Host) -> None:
    found = survey(world, whole_target(world.database, "web1"))
    host.there = {key: dict(resource.attributes) for key, resource in found.catalog.resources.items()}
    applied: dict[str, dict[str, str]] = {}
    for key, uid in found.catalog.wanted_by.items():
        applied.setdefault(uid, {})[key] = found.catalog.resources[key].digest
    with world.database.writing() as connection:
        save_statuses(connection, [Status(uid, applied=held) for uid, held in applied.items() if uid])


def _report(world: World, owner: str, *overlay: Document) -> dict[str, Any]:
    request = {"overlay": [pack(each) for each in overlay], "owner": owner}
    return make_report(world, Plan("p", owner, request, {}, "running", None, datetime.now(UTC)))


def _changes(report: Mapping[str, Any]) -> set[tuple[str, str, str]]:
    return {(c["action"], c["resource"], c["owner"]) for c in report["targets"][0]["changes"]}


def _rehearsed(world: World, owner: str, **values: Any) -> tuple[Document, list[Document]]:
    """A site that is not stored, and all certificates of its name after that."""
    with world.database.rehearsing() as connection:
        made = store.create(connection, KINDS["WebDomain"], NAME, owner, values, actor="test")
        return made, [d for d in reading.of_target(connection, "web1") if d.kind == "Certificate"]


@pytest.mark.parametrize("scope", ["ben", ""])
def test_what_loses_its_name_is_told_of_whatever_the_scope(world: World, host: Host, scope: str) -> None:
    _certificate(world, "ann")
    _everything_is_there(world, host)
    site, certificates = _rehearsed(world, "ben")
    assert [each.deleted for each in certificates] == [True]
    report = _report(world, scope, site, *certificates)
    assert {(key, owner) for action, key, owner in _changes(report) if action == "delete"} == {
        (key, "ann") for key in FILES
    }
    assert ("create", f"config:nginx/{NAME}.conf", "ben") in _changes(report)
    assert report["guard"] == {"allowed": True, "message": ""}


def test_a_certificate_that_is_still_to_be_had_has_no_files_where_ones_own_goes(
    world: World, host: Host
) -> None:
    own = _certificate(world, "ben")
    with world.database.writing() as connection:
        values = {"ssl_enabled": True, "letsencrypt_enabled": True}
        store.create(connection, KINDS["WebDomain"], NAME, "ben", values, actor="test")
    _everything_is_there(world, host)
    with world.database.rehearsing() as connection:
        store.remove(connection, own, actor="test")
        overlay = [d for d in reading.of_target(connection, "web1") if d.kind == "Certificate"]
    assert sorted(each.deleted for each in overlay) == [False, True]
    report = _report(world, "ben", *overlay)
    changes = {(action, key) for action, key, _ in _changes(report)}
    assert {key for action, key in changes if action == "delete" and key in FILES} == FILES
    assert not [key for action, key in changes if action == "create" and key in FILES]
    assert ("update", f"config:nginx/{NAME}.conf") in changes
    waiting = [(each["kind"], each["reason"]) for each in report["targets"][0]["blocked"]]
    assert waiting == [("Certificate", "Issuing")]


@pytest.mark.parametrize(("before", "held"), [(2, False), (3, True)])
def test_deletions_that_nobody_confirmed_count_with_those_that_are_stored_already(
    world: World, host: Host, before: int, held: bool
) -> None:
    with world.database.writing() as connection:
        sites = [
            store.create(connection, KINDS["WebDomain"], f"s{n}.example", "ben", {}, actor="test")
            for n in range(4)
        ]
    _everything_is_there(world, host)
    with world.database.writing() as connection:
        for site in sites[:before]:
            store.remove(connection, site, actor="test", confirmed=False)
    with world.database.rehearsing() as connection:
        store.remove(connection, sites[3], actor="test", confirmed=False)
        gone = reading.get(connection, sites[3].uid)
    assert _report(world, "ben", gone)["guard"]["allowed"] is not held
    with world.database.writing() as connection:
        store.remove(connection, sites[3], actor="test", confirmed=False)
    pending = pending_on(world.database, "web1", 100)
    plan = survey(world, pending).plan
    assert judge(plan, pending.documents, pending.total, pending.doubtful).allowed is not held


@pytest.mark.parametrize("owner", ["ben", "ann"])
def test_what_takes_the_name_of_one_that_is_still_to_go_is_planned_as_a_pass_does_it(
    world: World, host: Host, owner: str
) -> None:
    with world.database.writing() as connection:
        old = store.create(connection, KINDS["WebDomain"], NAME, "ben", {}, actor="test")
    _everything_is_there(world, host)
    with world.database.writing() as connection:
        store.remove(connection, old, actor="test")
    made, _ = _rehearsed(world, owner, is_suspended=True)
    report = _report(world, owner, made)
    told = {(c["action"], c["resource"]) for c in report["targets"][0]["changes"]}
    assert report["targets"][0]["blocked"] == []
    with world.database.writing() as connection:
        made = store.create(connection, KINDS["WebDomain"], NAME, owner, {"is_suspended": True}, actor="test")
    changes = survey(world, pending_on(world.database, "web1", 100)).plan.changes
    assert told == {(c.action.value, c.key) for c in changes if c.document == made.uid}
    assert ("update", f"config:nginx/{NAME}.conf") in told


def test_of_others_than_its_scope_a_plan_tells_nothing_but_of_its_own_documents(world: World) -> None:
    with world.database.writing() as connection:
        store.create(connection, KINDS["WebDomain"], "ann.example", "ann", {}, actor="test")
        store.create(connection, KINDS["WebDomain"], "ben.example", "ben", {}, actor="test")
    assert {owner for *_, owner in _changes(_report(world, "ben"))} - {""} == {"ben"}
    assert {owner for *_, owner in _changes(_report(world, ""))} - {""} == {"ann", "ben"}
