"""What a dry run of a write lists is what the write then leaves in the database, for who may know of it."""

from collections.abc import Callable
from typing import Any

import pytest

from api.app import ROUTES
from state.kinds import KINDS
from tests.api.authorisation import TABLE, Row
from tests.api.conftest import World, working
from tests.api.foretelling import (
    ALIAS,
    FILE,
    MERGE,
    NAME,
    SECURE,
    Deed,
    applied,
    became,
    certificate,
    listed,
    may_know,
    ones_own,
    stored,
)
from tests.api.test_authorisation import arguments_of

TRIED = {
    f"{each.method} {each.path}"
    for each in ROUTES
    if "/auth/" not in each.path and any(parameter.name == "dry_run" for parameter in each.docs.parameters)
}
ROWS = [row for row in TABLE if row.route in TRIED and min(row.expected("admin").values()) < 300]


def _zone(world: World) -> Deed:
    certificate(world, "anna", NAME)
    return "POST", "/dns", {"domain": NAME, "primary_ns": "ns1.example.net"}


def _import(world: World) -> Deed:
    certificate(world, "anna", ALIAS)
    return "POST", "/dns/import", {"domain": NAME, "zone_file": FILE}


def _site(world: World) -> Deed:
    certificate(world, "anna", NAME)
    return "POST", "/domains", {"domain": NAME, "aliases": [ALIAS]}


def _from_the_house(world: World) -> Deed:
    """What is on no host goes at once, and leaves nothing."""
    certificate(world, "admin", NAME)
    return "POST", "/domains", {"domain": NAME}


def _site_with_a_companion(world: World) -> Deed:
    return "POST", "/domains", {**(_site(world)[2] or {}), **SECURE}


def _names_below(world: World) -> Deed:
    for name in (NAME, ALIAS, "deep.in.take.example"):
        certificate(world, "anna", name)
    return "POST", "/domains", {"domain": NAME}


def _document(world: World) -> Deed:
    certificate(world, "anna", NAME)
    metadata = {"name": NAME, "owner": "bert"}
    return "POST", "/documents", {"kind": "WebDomain", "metadata": metadata, "spec": SECURE}


def _alias(world: World) -> Deed:
    site = world.site("bert.example", "bert", **SECURE)
    certificate(world, "anna", NAME)
    return "PATCH", f"/domains/{site.uid}", {"aliases": [NAME]}


def _freed(world: World) -> Deed:
    site = world.site("bert.example", "bert", aliases=[NAME, ALIAS], **SECURE)
    return "PATCH", f"/domains/{site.uid}", {"aliases": [ALIAS]}


def _revert(world: World) -> Deed:
    site = world.site("bert.example", "bert", aliases=[NAME], **SECURE)
    off = {"aliases": [], "letsencrypt_enabled": False}
    assert world.call("bert", "PUT", f"/domains/{site.uid}", json=off).is_success
    certificate(world, "anna", NAME)
    return "POST", "/documents/WebDomain/bert.example/revert", {"generation": 1}


def _own_goes_by_name(world: World) -> Deed:
    ones_own(world)
    return "DELETE", f"/documents/Certificate/{NAME}", None


def _switched_off(world: World) -> Deed:
    site = world.site(NAME, "bert", **SECURE)
    return "PUT", f"/domains/{site.uid}", {"letsencrypt_enabled": False}


def _site_goes(world: World) -> Deed:
    return "DELETE", f"/domains/{world.site(NAME, 'bert', **SECURE).uid}", None


def _site_of_ones_own_goes(world: World) -> Deed:
    ones_own(world)
    return "DELETE", f"/documents/WebDomain/{NAME}", None


def _zone_goes(world: World) -> Deed:
    zone = world.zone(NAME, "bert", primary_ns="ns1.example.net")
    world.record(zone, "www")
    return "DELETE", f"/dns/{zone.uid}", None


def _user_goes(world: World) -> Deed:
    _zone_goes(world)
    _site_goes(world)
    return "DELETE", f"/users/{world.uids['bert']}", None


def _site_comes_back(world: World) -> Deed:
    """Its source had lost it, and nobody said that this was meant."""
    one = {"kind": "WebDomain", "metadata": {"name": NAME, "owner": "bert"}, "spec": SECURE}
    other = {"kind": "WebDomain", "metadata": {"name": "bert.example", "owner": "bert"}}
    applied(world, "bert", {"documents": [one, other]})
    applied(world, "bert", {"documents": [other], "prune": True})
    return "POST", "/documents", one


SINGLE: tuple[Callable[[World], Deed], ...] = (
    _zone, _import, _site, _from_the_house, _site_with_a_companion, _names_below, _document, _alias, _freed, _revert,
    ones_own, _own_goes_by_name, _switched_off, _site_goes, _site_of_ones_own_goes, _zone_goes, _user_goes,
    _site_comes_back,
)  # fmt: skip


@pytest.mark.parametrize("who", ["admin", "bert"])
@pytest.mark.parametrize("prepare", SINGLE)
def test_a_dry_run_lists_what_the_write_leaves(
    world_on_both: World, prepare: Callable[[World], Deed], who: str
) -> None:
    world = world_on_both
    if prepare is _user_goes:
        who = "admin"
    with working(world.database):
        method, path, body = prepare(world)
    if method == "POST" and path in {"/domains", "/dns", "/dns/import"} and who == "admin":
        body = {**(body or {}), "user_id": world.uids["bert"]}
    headers = MERGE if method == "PATCH" else {}
    with working(world.database):
        foretold = world.call(who, method, f"{path}?dry_run=true", json=body, headers=headers)
    assert foretold.status_code == 200, foretold.text
    before = stored(world)
    answer = world.call(who, method, path, json=body, headers=headers)
    assert answer.is_success, answer.text
    done = became(before, stored(world))
    assert done
    assert listed(foretold.json()["report"]) == may_know(who, done)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.route)
def test_a_dry_run_of_any_write_lists_what_it_leaves(world: World, row: Row) -> None:
    """Each route's ordinary body, sent by an administrator about somebody's object."""
    relation = next(relation for relation, status in row.expected("admin").items() if status < 300)
    method, _, path = row.route.partition(" ")
    arguments = arguments_of(world, row, "admin", relation) if row.of else {}
    body: Any = dict(row.body) if row.body is not None else None
    if row.owned:
        body, arguments = body | {"user_id": arguments["id"]}, {}
    path, headers = path.format(**arguments), dict(row.headers) | (MERGE if method == "PATCH" else {})
    with working(world.database):
        foretold = world.call("admin", method, f"{path}?dry_run=true", json=body, headers=headers)
    assert foretold.status_code == 200, foretold.text
    before = stored(world)
    assert world.call("admin", method, path, json=body, headers=headers).is_success
    told = listed(foretold.json()["report"])
    assert {one: fields for one, fields in told.items() if one[1] in KINDS} == became(before, stored(world))
