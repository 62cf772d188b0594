"""Who takes a name is not told from whom: only those are who may know of the other's documents."""

from typing import Any

import pytest
from sqlalchemy import update

from state.tables import documents
from state.targets import list_hosts
from tests.api.conftest import World, report_of, working
from tests.api.foretelling import NAME, SECURE, berts, certificate, listed


def _on_two_hosts(world: World) -> None:
    """Anna's certificate is on another host than what is bert's."""
    with world.database.writing() as connection:
        list_hosts(connection, {"web1": "192.0.2.1", "web2": "192.0.2.2"})
    certificate(world, "anna", "secret.take.example")
    with world.database.writing() as connection:
        connection.execute(update(documents).values(target="web2").where(documents.c.owner == "anna"))


@pytest.mark.parametrize("doors", ["/domains?dry_run=true", "/plans?dry_run=true", "/plans?wait=20"])
def test_who_takes_a_name_is_not_told_from_whom(world: World, doors: str) -> None:
    _on_two_hosts(world)
    site = {"domain": NAME, **SECURE} if "domains" in doors else None
    body = site or {"documents": [berts("WebDomain", NAME, **SECURE)]}
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
        made = world.call("bert", "POST", "/plans?wait=20", json={"documents": [berts("WebDomain", NAME)]})
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
    certificate(world, "anna", NAME)
    body = {"domain": NAME, "user_id": world.uids["carl"]}
    for who, seen in (("carl", False), ("resi", True)):
        asked = {name: value for name, value in body.items() if seen or name != "user_id"}
        report = world.call(who, "POST", "/domains?dry_run=true", json=asked).json()["report"]
        assert (("delete", "Certificate", NAME, "anna") in listed(report)) is seen
        assert ("anna" in {c["owner"] for c in report["targets"][0]["changes"]}) is seen
