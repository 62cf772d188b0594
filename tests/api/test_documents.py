"""Documents by kind and name: lists, revisions, going back to one, and writing as a file has it."""

from typing import Any

import pytest
from sqlalchemy import func, select

from state.tables import revisions
from tests.api.conftest import World

SITE = "/documents/WebDomain/anna.example"
MERGE = {"Content-Type": "application/merge-patch+json"}


def _changed(world: World) -> None:
    """A site with three generations."""
    site = world.site("anna.example", "anna", aliases=["one.example"])
    for aliases in (["two.example"], ["three.example"]):
        world.call("anna", "PUT", f"/domains/{site.uid}", json={"aliases": aliases})


def _faults(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [each["field"] for each in answer.json()["details"]["errors"]]


def _posted(kind: str, name: str, spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, **metadata}, "spec": spec or {}}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("kind=User", ["admin", "anna", "bert", "resi"]),
        ("kind=Package,WebDomain", ["anna.example", "basic", "default"]),
        ("kind=Package&kind=WebDomain", ["anna.example", "basic", "default"]),
        ("owner=anna", ["anna.example"]),
        ("host=web1&kind=WebDomain", ["anna.example"]),
        ("name=bert", ["bert"]),
        ("search=nna", ["anna", "anna.example"]),
        ("generation=1&kind=WebDomain", ["anna.example"]),
        ("created_before=2020-01-01", []),
    ],
)
def test_documents_are_filtered(world_on_both: World, query: str, names: list[str]) -> None:
    world_on_both.site("anna.example", "anna")
    listed = world_on_both.call("admin", "GET", f"/documents?limit=100&{query}").json()
    assert sorted(each["metadata"]["name"] for each in listed["documents"]) == names
    assert listed["total"] == len(names)


def test_what_is_listed_can_be_posted_as_it_is(world: World, worker: None) -> None:
    world.site("anna.example", "anna")
    listed = world.call("anna", "GET", "/documents?kind=WebDomain,User").json()["documents"]
    made = world.call("anna", "POST", "/plans?wait=20", json={"documents": listed})
    assert made.json()["report"]["documents"] == []


def test_revisions_are_listed_newest_first_in_pages(world_on_both: World) -> None:
    _changed(world_on_both)
    first = world_on_both.call("anna", "GET", f"{SITE}/revisions?limit=2").json()
    assert [each["generation"] for each in first["revisions"]] == [3, 2]
    assert (first["total"], first["pages"]) == (3, 2)
    second = world_on_both.call("anna", "GET", f"{SITE}/revisions?limit=2&cursor={first['next']}").json()
    assert [(each["generation"], each["actor"]) for each in second["revisions"]] == [(1, "setup")]
    mine = world_on_both.call("anna", "GET", f"{SITE}/revisions?actor=anna&sort=generation").json()
    assert [each["spec"]["aliases"] for each in mine["revisions"]] == [["two.example"], ["three.example"]]


def test_a_document_goes_back_to_what_it_was(world_on_both: World) -> None:
    _changed(world_on_both)
    answer = world_on_both.call("anna", "POST", f"{SITE}/revert", json={"generation": 1})
    assert answer.status_code == 200
    assert answer.headers["ETag"].startswith('"4-')
    assert (answer.json()["metadata"]["generation"], answer.json()["spec"]["aliases"]) == (4, ["one.example"])
    assert world_on_both.call("anna", "GET", SITE).json() == answer.json()
    with world_on_both.database.reading() as connection:
        query = select(func.count()).select_from(revisions).where(revisions.c.actor == "anna")
        assert connection.execute(query).scalar_one() == 3


def test_going_back_to_what_it_is_changes_nothing(world: World) -> None:
    _changed(world)
    answer = world.call("anna", "POST", f"{SITE}/revert", json={"generation": 3})
    assert (answer.status_code, answer.json()["metadata"]["generation"]) == (200, 3)


@pytest.mark.parametrize(
    ("body", "field"),
    [({"generation": 9}, "generation"), ({"generation": 0}, "generation"), ({"generation": "1"}, "generation"),
     ({"generation": 2**40}, "generation"), ({}, "generation"), ({"generation": 1, "spec": {}}, "spec")],
)  # fmt: skip
def test_a_revision_that_is_not_there_is_told(world: World, body: dict[str, Any], field: str) -> None:
    _changed(world)
    assert _faults(world.call("anna", "POST", f"{SITE}/revert", json=body)) == [field]


def test_a_deletion_is_nothing_to_go_back_to(world: World) -> None:
    site = world.site("anna.example", "anna")
    with world.database.writing() as connection:
        plan = revisions.insert().values(uid=site.uid, generation=2, spec={}, actor="x", at=site.created_at)
        connection.execute(plan)
    answer = world.call("anna", "POST", f"{SITE}/revert", json={"generation": 2})
    assert _faults(answer) == ["generation"]
    assert "deletion" in answer.text


def test_nobody_goes_back_to_more_than_they_may_set(world: World) -> None:
    for limit in (50, 5):
        world.call("admin", "PUT", f"/users/{world.uids['bert']}", json={"web_domains_limit": limit})
    path, body = "/documents/User/bert/revert", {"generation": 2}
    answer = world.call("bert", "POST", path, json=body)
    assert (answer.status_code, answer.json()["details"]["code"]) == (403, "forbidden_field")
    assert world.call("admin", "POST", path, json=body).json()["spec"]["web_domains_limit"] == 50


def test_a_name_that_was_taken_meanwhile_is_not_taken_back(world: World) -> None:
    _changed(world)
    world.site("one.example", "bert")
    answer = world.call("anna", "POST", f"{SITE}/revert", json={"generation": 1})
    assert (answer.status_code, answer.json()["details"]["code"]) == (409, "domain_taken")


def test_who_is_late_does_not_go_back(world: World) -> None:
    _changed(world)
    answer = world.call("anna", "POST", f"{SITE}/revert", json={"generation": 1}, headers={"If-Match": '"2"'})
    assert answer.status_code == 412


def test_a_document_is_made_as_a_file_has_it(world_on_both: World) -> None:
    body = _posted("WebDomain", "New.Example", {"aliases": ["www.new.example"]}, owner="anna")
    answer = world_on_both.call("resi", "POST", "/documents", json=body)
    assert (answer.status_code, answer.headers["Location"]) == (
        201,
        "/api/v1/documents/WebDomain/new.example",
    )
    assert answer.json()["metadata"]["owner"] == "anna"
    again = world_on_both.call("resi", "POST", "/documents", json=body)
    assert (again.status_code, again.json()["details"]["code"]) == (409, "domain_taken")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (_posted("Nothing", "a"), ["kind"]),
        (_posted("WebDomain", "com", {"colour": "red", "x": 7}), ["metadata.name", "spec.colour", "spec.x"]),
        (_posted("WebDomain", "a.example", owner="bert"), ["metadata.owner"]),
        ({"kind": "WebDomain"}, ["metadata"]),
        ({**_posted("WebDomain", "a.example"), "id": "x"}, ["id"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_document_is_told_with_its_place(
    world: World, body: dict[str, Any], fields: list[str]
) -> None:
    assert sorted(_faults(world.call("anna", "POST", "/documents", json=body))) == sorted(fields)


def test_a_documents_spec_is_changed_and_patched(world: World) -> None:
    world.site("anna.example", "anna", aliases=["one.example"], proxy_template="app-socket")
    put = world.call("anna", "PUT", SITE, json={"spec": {"ssl_force": True}}).json()["spec"]
    assert (put["ssl_force"], put["aliases"]) == (True, ["one.example"])
    body = {"spec": {"aliases": None, "proxy_template": None}}
    patched = world.call("anna", "PATCH", SITE, json=body, headers=MERGE).json()["spec"]
    assert (patched["ssl_force"], patched["aliases"], patched["proxy_template"]) == (True, [], None)
    assert _faults(world.call("anna", "PUT", SITE, json={"spec": {"colour": 1}})) == ["spec.colour"]


@pytest.mark.parametrize(
    "body", [{}, {"spec": []}, {"metadata": {"owner": "bert"}, "spec": {}}, {"kind": "User"}]
)
def test_nothing_but_a_spec_is_changed(world: World, body: dict[str, Any]) -> None:
    world.site("anna.example", "anna")
    assert world.call("anna", "PUT", SITE, json=body).status_code == 422


def test_a_document_is_deleted_and_its_name_is_free(world_on_both: World) -> None:
    site = world_on_both.site("anna.example", "anna")
    assert world_on_both.call("anna", "DELETE", SITE).status_code == 204
    assert world_on_both.call("anna", "GET", SITE).status_code == 404
    made = world_on_both.call("bert", "POST", "/domains", json={"domain": "anna.example"})
    assert made.status_code == 201
    assert made.json()["id"] != site.uid


@pytest.mark.parametrize("path", ["/documents/User/%00", "/documents/Nothing/x", "/documents/user/anna"])
def test_a_document_that_is_not_there_is_not_found(world: World, path: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        body: Any = {"spec": {}} if method == "PUT" else None
        assert world.call("admin", method, path, json=body).status_code == 404
