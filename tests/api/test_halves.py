"""Halves of characters (surrogates) in the database, which somebody else put there, are in nobody's way."""

from typing import Any

import pytest
from sqlalchemy import text

from state.document import Document
from tests.api.conftest import World, working

HALF = "\\ud800"


@pytest.fixture
def zone(world: World) -> Document:
    return world.zone("example.com", "anna")


def spoil(world: World, uid: str, field: str) -> None:
    """Puts half of a character into a field; PostgreSQL takes none."""
    query = f"UPDATE documents SET spec = json_set(spec, '$.{field}', json('\"a{HALF}b\"')) WHERE uid = :uid"
    with world.database.writing() as connection:
        assert connection.execute(text(query), {"uid": uid}).rowcount == 1


@pytest.mark.parametrize("field", ["name", "record_type", "value", "ttl", f"x{HALF}"])
def test_a_record_with_half_a_character_harms_itself_alone(world: World, zone: Document, field: str) -> None:
    base = f"/dns/{zone.uid}/records"
    spoiled, good = world.record(zone, "www"), world.record(zone, "mail", value="192.0.2.2")
    spoil(world, spoiled.uid, field)

    def call(method: str, path: str, status: int = 200, **body: Any) -> Any:
        answer = world.call("anna", method, path, **({"json": body} if body else {}))
        assert answer.status_code == status, answer.text
        return answer

    of_zone = (f"{base}/{spoiled.uid}", f"{base}/{good.uid}", f"/dns/{zone.uid}/export")
    for path in (base, f"{base}?search=a", *of_zone, "/dns", "/documents"):
        call("GET", path)
    for by in ("value", "name"):
        first = call("GET", f"{base}?sort={by}&limit=1").json()
        assert call("GET", f"{base}?sort={by}&limit=1&cursor={first['next']}").json()["records"]
    if field == "value":
        assert call("GET", f"{base}/{spoiled.uid}").json()["value"] == "a\ufffdb"
    call("PUT", f"{base}/{good.uid}", value="192.0.2.3")
    call("POST", base, 201, name="other", record_type="A", value="192.0.2.4")
    site = {"kind": "DnsRecord", "metadata": {"name": "more.example.com", "owner": "anna"}}
    spec = {"name": "more", "record_type": "A", "value": "192.0.2.5"}
    with working(world.database):
        plan = call("POST", "/plans?wait=10", 201, documents=[{**site, "spec": spec}])
        call("POST", f"/plans/{plan.json()['id']}/apply?wait=10")
    whole = {"name": "www", "record_type": "A", "value": "192.0.2.1", "ttl": 60, "priority": 0}
    assert call("PUT", f"{base}/{spoiled.uid}", **whole).json()["value"] == "192.0.2.1"
    spoil(world, spoiled.uid, field)
    call("DELETE", f"{base}/{spoiled.uid}", 204)


def test_of_what_is_whole_nothing_is_lost(world: World, zone: Document) -> None:
    told = '"\U0001f600\\\\ud800 é"'
    made = world.record(zone, "smile", record_type="TXT", value=told)
    answer = world.call("anna", "GET", f"/dns/{zone.uid}/records/{made.uid}")
    assert answer.json()["value"] == told
