"""What a dry run lists is what the deed then leaves in the database, for who may know of it."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from state.kinds import KINDS
from state.tables import documents
from state.targets import list_hosts
from tests.api.conftest import World, report_of, working
from tests.state.vouching import vouch

MERGE = {"Content-Type": "application/merge-patch+json"}
NAME, ALIAS = "take.example", "www.take.example"
FILE = f"$ORIGIN {NAME}.\n$TTL 3600\n@ IN NS ns1.example.net.\n@ IN A 192.0.2.1\n"
SECURE = {"ssl_enabled": True, "letsencrypt_enabled": True}
OTHERS: list[dict[str, Any]] = [
    {"kind": "User", "metadata": {"name": name}, "spec": {"email": f"{name}@example.com", "role": role}}
    for name, role in (("resi", "reseller"), ("anna", "user"))
]
Told = tuple[str, str, str, str]
Deed = tuple[str, str, dict[str, Any] | None]


def _certificate(world: World, who: str, name: str) -> str:
    """One's own, that no site has shown yet; its id."""
    mine = vouch(name)
    body = {"domain": name, "certificate": mine.chain, "private_key": mine.key}
    answer = world.call(who, "POST", "/ssl", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _zone(world: World) -> Deed:
    _certificate(world, "anna", NAME)
    return "POST", "/dns", {"domain": NAME, "primary_ns": "ns1.example.net"}


def _import(world: World) -> Deed:
    _certificate(world, "anna", ALIAS)
    return "POST", "/dns/import", {"domain": NAME, "zone_file": FILE}


def _site(world: World) -> Deed:
    _certificate(world, "anna", NAME)
    return "POST", "/domains", {"domain": NAME, "aliases": [ALIAS]}


def _from_the_house(world: World) -> Deed:
    """What is on no host goes at once, and leaves nothing."""
    _certificate(world, "admin", NAME)
    return "POST", "/domains", {"domain": NAME}


def _site_with_a_companion(world: World) -> Deed:
    return "POST", "/domains", {**(_site(world)[2] or {}), **SECURE}


def _names_below(world: World) -> Deed:
    for name in (NAME, ALIAS, "deep.in.take.example"):
        _certificate(world, "anna", name)
    return "POST", "/domains", {"domain": NAME}


def _document(world: World) -> Deed:
    _certificate(world, "anna", NAME)
    metadata = {"name": NAME, "owner": "bert"}
    return "POST", "/documents", {"kind": "WebDomain", "metadata": metadata, "spec": SECURE}


def _alias(world: World) -> Deed:
    site = world.site("bert.example", "bert", **SECURE)
    _certificate(world, "anna", NAME)
    return "PATCH", f"/domains/{site.uid}", {"aliases": [NAME]}


def _freed(world: World) -> Deed:
    site = world.site("bert.example", "bert", aliases=[NAME, ALIAS], **SECURE)
    return "PATCH", f"/domains/{site.uid}", {"aliases": [ALIAS]}


def _revert(world: World) -> Deed:
    site = world.site("bert.example", "bert", aliases=[NAME], **SECURE)
    off = {"aliases": [], "letsencrypt_enabled": False}
    assert world.call("bert", "PUT", f"/domains/{site.uid}", json=off).is_success
    _certificate(world, "anna", NAME)
    return "POST", "/documents/WebDomain/bert.example/revert", {"generation": 1}


def _own_goes(world: World) -> Deed:
    uid = _certificate(world, "bert", NAME)
    world.site(NAME, "bert", **SECURE)
    return "DELETE", f"/ssl/{uid}", None


def _own_goes_by_name(world: World) -> Deed:
    _own_goes(world)
    return "DELETE", f"/documents/Certificate/{NAME}", None


def _switched_off(world: World) -> Deed:
    site = world.site(NAME, "bert", **SECURE)
    return "PUT", f"/domains/{site.uid}", {"letsencrypt_enabled": False}


def _site_goes(world: World) -> Deed:
    return "DELETE", f"/domains/{world.site(NAME, 'bert', **SECURE).uid}", None


def _site_of_ones_own_goes(world: World) -> Deed:
    _own_goes(world)
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
    _applied(world, "bert", {"documents": [one, other]})
    _applied(world, "bert", {"documents": [other], "prune": True})
    return "POST", "/documents", one


SINGLE: tuple[Callable[[World], Deed], ...] = (
    _zone, _import, _site, _from_the_house, _site_with_a_companion, _names_below, _document, _alias, _freed, _revert,
    _own_goes, _own_goes_by_name, _switched_off, _site_goes, _site_of_ones_own_goes, _zone_goes, _user_goes,
    _site_comes_back,
)  # fmt: skip


def _stored(world: World) -> dict[str, Any]:
    """The living documents, by uid."""
    with world.database.reading() as connection:
        query = select(documents).where(documents.c.deleted_at.is_(None), documents.c.kind.in_(list(KINDS)))
        return {row.uid: row for row in connection.execute(query)}


def _done(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[Told, Any]:
    """What became of documents, each with its spec; of what is gone there is none."""

    def told(action: str, row: Any) -> Told:
        return action, row.kind, row.name, row.owner

    made = {told("create", after[uid]): after[uid].spec for uid in after.keys() - before.keys()}
    gone: dict[Told, Any] = {told("delete", before[uid]): {} for uid in before.keys() - after.keys()}
    both = before.keys() & after.keys()
    changed = [uid for uid in both if before[uid].generation != after[uid].generation]
    return (
        made
        | gone
        | {told("update", after[uid]): _news(before[uid].spec, after[uid].spec) for uid in changed}
    )


def _news(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in new.items() if old[name] != value}


def _listed(report: Any) -> dict[Told, Any]:
    """What a dry run says of documents, each once."""
    told = {
        (d["action"], d["kind"], d["name"], d["owner"]): {f["field"]: f["after"] for f in d["fields"]}
        for d in report["documents"]
    }
    assert len(told) == len(report["documents"])
    return told


def _applied(world: World, who: str, body: dict[str, Any]) -> tuple[Any, httpx.Response]:
    """The report of a plan, and what came of applying it."""
    made = world.call(who, "POST", "/plans?wait=20", json=body)
    assert made.status_code == 201, made.text
    return made.json()["report"], world.call(who, "POST", f"/plans/{made.json()['id']}/apply")


def _may_know(who: str, done: Mapping[Told, Any]) -> dict[Told, Any]:
    return {told: spec for told, spec in done.items() if who == "admin" or told[3] == who or told[2] == who}


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
    before = _stored(world)
    answer = world.call(who, method, path, json=body, headers=headers)
    assert answer.is_success, answer.text
    done = _done(before, _stored(world))
    assert done
    assert _listed(foretold.json()["report"]) == _may_know(who, done)


def _one(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, "owner": "bert"}, "spec": spec}


def _set_that_takes(world: World) -> dict[str, Any]:
    _certificate(world, "anna", NAME)
    return {"documents": [_one("WebDomain", NAME, **SECURE), _one("WebDomain", "bert.example")]}


def _set_that_takes_from_itself(_: World) -> dict[str, Any]:
    """What is made first goes again, to the site above it."""
    lost = {"kind": "Certificate", "metadata": {"name": "lost.take.example", "owner": "anna"}}
    return {"documents": [_one("WebDomain", NAME), lost]}


def _set_that_changes_a_document_twice(world: World) -> dict[str, Any]:
    """The certificate is as it is, and follows the site, which is another one."""
    world.site(NAME, "bert", aliases=[ALIAS], **SECURE)
    names = {"san_domains": [NAME, ALIAS], "auto_renew": False}
    return {"documents": [_one("WebDomain", NAME, **SECURE), _one("Certificate", NAME, **names)]}


def _set_without_ones_own(world: World) -> dict[str, Any]:
    """The site has a companion then, since its own certificate is not among the documents."""
    _own_goes(world)
    other = _one("Certificate", "bert.example", acme_provider="letsencrypt")
    return {"documents": [_one("WebDomain", NAME, **SECURE), other], "prune": True, "owner": "bert"}


def _set_without_sites(world: World) -> dict[str, Any]:
    for name in ("one.example", "two.example", "three.example"):
        world.site(name, "bert", **SECURE)
    posted = [_one("WebDomain", "kept.example")]
    return {"documents": posted, "prune": True, "owner": "bert", "allow_deletes": 6}


def _set_without_a_user(world: World) -> dict[str, Any]:
    world.site(NAME, "anna", **SECURE)
    user = {"kind": "User", "metadata": {"name": "bert"}, "spec": {"email": "bert@example.com"}}
    return {"documents": [user], "prune": True, "allow_deletes": 10}


def _set_in_which_a_companion_comes_and_goes(world: World) -> dict[str, Any]:
    """The site's own certificate goes, and then the site with its owner."""
    _own_goes(world)
    other = {"kind": "Certificate", "metadata": {"name": "other.example", "owner": "anna"}}
    return {"documents": [*OTHERS, other], "prune": True, "allow_deletes": 10}


def _set_without_its_owner(world: World) -> dict[str, Any]:
    """What is written here goes with whose it is."""
    world.site(NAME, "bert")
    posted = [_one("WebDomain", NAME, aliases=[ALIAS]), _one("WebDomain", "new.example"), *OTHERS]
    return {"documents": posted, "prune": True, "allow_deletes": 10}


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("prepare", "who"),
    [
        (_set_that_takes, "bert"),
        (_set_that_takes, "admin"),
        (_set_that_takes_from_itself, "admin"),
        (_set_that_changes_a_document_twice, "bert"),
        (_set_without_ones_own, "bert"),
        (_set_without_ones_own, "admin"),
        (_set_without_sites, "bert"),
        (_set_without_a_user, "admin"),
        (_set_without_its_owner, "admin"),
        (_set_in_which_a_companion_comes_and_goes, "admin"),
    ],
)
def test_a_plan_lists_what_applying_it_leaves(
    world: World, prepare: Callable[[World], dict[str, Any]], who: str
) -> None:
    body = prepare(world)
    before = _stored(world)
    report, answer = _applied(world, who, body)
    assert answer.status_code == 200, answer.text
    done = _may_know(who, _done(before, _stored(world)))
    assert done
    assert _listed(report) == done
    told = {(d["kind"], d["name"], d["owner"], d["deleted"]) for d in answer.json()["documents"]}
    assert told >= {(kind, name, owner, action == "delete") for action, kind, name, owner in done}
    assert who == "admin" or {owner for *_, owner, _ in told} == {"bert"}


def _on_two_hosts(world: World) -> None:
    """Anna's certificate is on another host than what is bert's."""
    with world.database.writing() as connection:
        list_hosts(connection, {"web1": "192.0.2.1", "web2": "192.0.2.2"})
    _certificate(world, "anna", "secret.take.example")
    with world.database.writing() as connection:
        connection.execute(update(documents).values(target="web2").where(documents.c.owner == "anna"))


@pytest.mark.parametrize("doors", ["/domains?dry_run=true", "/plans?dry_run=true", "/plans?wait=20"])
def test_who_takes_a_name_is_not_told_from_whom(world: World, doors: str) -> None:
    _on_two_hosts(world)
    site = {"domain": NAME, **SECURE} if "domains" in doors else None
    body = site or {"documents": [_one("WebDomain", NAME, **SECURE)]}
    with working(world.database, _report_on_hosts):
        theirs = world.call("bert", "POST", doors, json=body)
        every = world.call(
            "admin", "POST", doors, json=body | ({"user_id": world.uids["bert"]} if site else {})
        )
    assert theirs.is_success, theirs.text
    assert not [word for word in ("secret", "anna", "web2") if word in theirs.text]
    report = theirs.json()["report"]
    assert [part["target"] for part in report["targets"]] == ["web1"]
    assert (report["totals"]["documents"], report["totals"]["create"]) == (2, 2)
    parts = {p["target"]: [c["document"] for c in p["changes"]] for p in every.json()["report"]["targets"]}
    assert parts == {"web1": [NAME, NAME], "web2": ["secret.take.example"]}


def test_an_administrator_sees_all_of_what_a_tenant_asked_for(world: World) -> None:
    _on_two_hosts(world)
    with working(world.database, _report_on_hosts):
        made = world.call("bert", "POST", "/plans?wait=20", json={"documents": [_one("WebDomain", NAME)]})
    for who, seen in (("bert", False), ("admin", True)):
        text = world.call(who, "GET", f"/plans/{made.json()['id']}", headers={"Accept": "text/plain"}).text
        assert ("secret.take.example (owner anna)" in text) is seen


def _report_on_hosts(request: Any) -> dict[str, Any]:
    """A report with a part for each host that has one of the documents."""
    report = report_of(request)
    hosts = sorted({each["target"] for each in request["overlay"]})
    parts = [report_of({**request, "overlay": _on(host, request)})["targets"][0] for host in hosts]
    changes = [[c for c in part["changes"] if c["owner"] != "stranger"] for part in parts]
    told = zip(parts, hosts, changes, strict=True)
    return {**report, "targets": [{**p, "target": host, "changes": c} for p, host, c in told]}


def _on(host: str, request: Any) -> list[Any]:
    return [each for each in request["overlay"] if each["target"] == host]


@pytest.mark.usefixtures("worker")
def test_who_manages_both_sees_whose_certificate_goes(world: World) -> None:
    world.user("carl", owner="resi")
    _certificate(world, "anna", NAME)
    body = {"domain": NAME, "user_id": world.uids["carl"]}
    for who, seen in (("carl", False), ("resi", True)):
        asked = {name: value for name, value in body.items() if seen or name != "user_id"}
        report = world.call(who, "POST", "/domains?dry_run=true", json=asked).json()["report"]
        assert (("delete", "Certificate", NAME, "anna") in _listed(report)) is seen
        assert ("anna" in {c["owner"] for c in report["targets"][0]["changes"]}) is seen


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("asks", "applies", "stale"), [("admin", "admin", True), ("bert", "admin", True), ("bert", "bert", False)]
)
def test_a_plan_that_would_delete_more_than_it_told_is_stale_for_who_may_know(
    world: World, asks: str, applies: str, stale: bool
) -> None:
    made = world.call(asks, "POST", "/plans?wait=20", json={"documents": [_one("WebDomain", NAME)]}).json()
    _certificate(world, "anna", ALIAS)
    answer = world.call(applies, "POST", f"/plans/{made['id']}/apply")
    assert ALIAS not in answer.text
    assert answer.status_code == (409 if stale else 200)
    assert not stale or answer.json()["details"]["code"] == "stale_plan"


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(("allow", "allowed"), [(0, False), (4, True)])
def test_what_goes_with_a_document_is_counted_and_confirmed_like_it(
    world: World, allow: int, allowed: bool
) -> None:
    for name in ("one.example", "two.example"):
        world.site(name, "bert", **SECURE)
    body = {"documents": [_one("WebDomain", "kept.example")], "prune": True, "allow_deletes": allow}
    report, answer = _applied(world, "bert", body)
    assert (report["guard"]["allowed"], answer.is_success) == (allowed, allowed)
    assert allowed or "allow_deletes: 4" in report["guard"]["message"]
    with world.database.reading() as connection:
        query = select(documents.c.confirmed).where(documents.c.deleted_at.is_not(None))
        assert connection.execute(query).scalars().all() == [True] * 4 * allowed
