"""What somebody made of documents in the database is in nobody else's way: halves of characters, what is no JSON."""

from typing import Any

import pytest
from sqlalchemy import text

from state.document import Document, Status
from state.statuses import save_statuses
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


DEEP = 100000
SPEC = (
    '{"name": "www", "record_type": "A", "value": "192.0.2.1", "priority": 0, "is_active": true, "ttl": %s}'
)
SPECS = {
    "nothing": "",
    "half of it": "{",
    "no text": b"\xff\xfe{",
    "no text within": b'{"name": "\xff\xfe", "ttl": 60}',
    "no characters": "CAST(x'FFFE7B' AS TEXT)",
    "no characters within": "CAST(x'7B226E616D65223A22FFFE227D' AS TEXT)",
    "very deep": "[" * DEEP,
    "very deep within": SPEC % ("[" * DEEP + "]" * DEEP),
    "deep within": SPEC % ("[" * 600 + "]" * 600),
    "less deep within": SPEC % ("[" * 252 + "]" * 252),
    "a text": '"x"',
    "a number": "5",
    "too large a number": "1e400",
    "a list": "[]",
    "none of its fields": "{}",
    "NaN": SPEC % "NaN",
    "Infinity": SPEC % "Infinity",
    "an infinite number": SPEC % "1e400",
    "a long number": SPEC % ("9" * 5000),
    "fields of Python": '{"cls": 1, "_fields_set": 1, "self": 1}',
}


def damage(world: World, table: str, column: str, uid: str, value: str | bytes) -> None:
    made = value if isinstance(value, str) and value.startswith("CAST(") else ":value"
    query = text(f"UPDATE {table} SET {column} = {made} WHERE uid = :uid")
    with world.database.writing() as connection:
        given = {"uid": uid} | ({"value": value} if made == ":value" else {})
        assert connection.execute(query, given).rowcount == 1


class Walk:
    """Requests of anna's, each of which must be answered."""

    def __init__(self, world: World) -> None:
        self.world = world

    def __call__(self, method: str, path: str, status: int = 200, **body: Any) -> Any:
        answer = self.world.call("anna", method, path, **({"json": body} if body else {}))
        assert answer.status_code == status, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content and "json" in answer.headers["content-type"] else None

    def lists(self, zone: Document) -> None:
        base = f"/dns/{zone.uid}/records"
        for path in (base, f"{base}?search=w&sort=ttl", f"{base}?ttl=60", "/dns?sort=serial", "/documents"):
            self("GET", path)


@pytest.fixture
def spoilt(world: World) -> tuple[World, Document]:
    return world, world.zone("example.com", "anna")


@pytest.mark.parametrize("what", SPECS)
def test_a_record_that_is_none_any_more_harms_itself_alone(spoilt: tuple[World, Document], what: str) -> None:
    world, zone = spoilt
    base, call = f"/dns/{zone.uid}/records", Walk(world)
    bad, good = world.record(zone, "www"), world.record(zone, "mail", value="192.0.2.2")
    damage(world, "documents", "spec", bad.uid, SPECS[what])
    call.lists(zone)
    for path in (f"{base}/{bad.uid}", f"{base}/{good.uid}", f"/dns/{zone.uid}", f"/dns/{zone.uid}/export"):
        call("GET", path)
    call("PUT", f"{base}/{good.uid}", value="192.0.2.3")
    call("POST", base, 201, name="www", record_type="A", value="192.0.2.4")
    whole = {"name": "www", "record_type": "A", "value": "192.0.2.1", "ttl": 60, "priority": 0}
    assert call("PUT", f"{base}/{bad.uid}", **whole)["value"] == "192.0.2.1"
    damage(world, "documents", "spec", bad.uid, SPECS[what])
    call("DELETE", f"{base}/{bad.uid}", 204)


@pytest.mark.parametrize("what", SPECS)
@pytest.mark.parametrize("column", ["spec", "kept"])
def test_a_zone_that_is_none_any_more_harms_itself_alone(
    spoilt: tuple[World, Document], column: str, what: str
) -> None:
    world, zone = spoilt
    good, call = world.zone("example.net", "anna"), Walk(world)
    record = world.record(good, "www")
    damage(world, "documents", column, zone.uid, SPECS[what])
    call.lists(zone)
    call.lists(good)
    call("GET", f"/dns/{zone.uid}")
    call("PUT", f"/dns/{good.uid}", minimum_ttl=60)
    call("PUT", f"/dns/{good.uid}/records/{record.uid}", ttl=60)
    call("POST", "/dns", 201, domain="example.org")
    whole = {"primary_ns": "ns1.example.net.", "admin_email": "a@example.com", "dns_provider": "local"}
    assert call("PUT", f"/dns/{zone.uid}", **whole, minimum_ttl=61)["minimum_ttl"] == 61
    damage(world, "documents", column, zone.uid, SPECS[what])
    call("DELETE", f"/dns/{zone.uid}", 204)


@pytest.mark.parametrize("what", SPECS)
def test_what_is_known_of_a_document_is_read_as_far_as_it_is_that(
    spoilt: tuple[World, Document], what: str
) -> None:
    world, zone = spoilt
    call = Walk(world)
    with world.database.writing() as connection:
        save_statuses(connection, [Status(zone.uid)])
    for column in ("conditions", "applied", "refused", "repairs"):
        damage(world, "statuses", column, zone.uid, SPECS[what])
    assert call("GET", f"/dns/{zone.uid}")["conditions"] == []
    call.lists(zone)
    call("PUT", f"/dns/{zone.uid}", minimum_ttl=60)
    call("DELETE", f"/dns/{zone.uid}", 204)
