"""What every request comes in and every answer leaves in."""

from typing import Any

import pytest
from sqlalchemy import select
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from state.tables import documents
from tests.api.conftest import BASE, REQUEST, World

PATHS = ("/health", f"{BASE}/health", f"{BASE}/users", f"{BASE}/nowhere", f"{BASE}/openapi.json", "/api/docs")


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_has_the_id_and_says_what_browsers_may_do(world: World, path: str) -> None:
    headers = world.http.get(path).headers
    assert headers["X-Request-ID"] == REQUEST
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in headers


@pytest.mark.parametrize("wished", ["", "a" * 65, "a b", "a\tb", "é", "a;b", '"}'])
def test_an_id_that_is_not_sane_is_replaced(world: World, wished: str) -> None:
    given = world.http.get("/health", headers={"X-Request-ID": wished.encode()}).headers["X-Request-ID"]
    assert given != wished
    assert len(given) == 32


def test_an_error_names_the_request(world: World) -> None:
    for answer in (
        world.http.get(f"{BASE}/users"),
        world.http.get(f"{BASE}/nowhere"),
        world.call("admin", "DELETE", "/users"),
        world.call("admin", "POST", "/users", content=b"{"),
        world.call("admin", "POST", "/users", json={}),
    ):
        assert answer.json()["details"]["request_id"] == REQUEST


def test_what_is_written_knows_the_request(world_on_both: World) -> None:
    made = world_on_both.call("admin", "POST", "/packages", json={"name": "small"}).json()
    with world_on_both.database.reading() as connection:
        query = select(documents.c.request_id).where(documents.c.uid == made["id"])
        assert connection.execute(query).scalar_one() == REQUEST


def test_answers_to_somebody_are_not_stored(world: World) -> None:
    assert world.call("admin", "GET", "/users").headers["Cache-Control"] == "no-store"
    assert world.login("admin").headers["Cache-Control"] == "no-store"


def test_a_fault_outside_of_all_doors_is_told_as_every_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("the secret inside")

    monkeypatch.setattr("api.door.visit_of", broken)
    answer = world.http.get("/health")
    assert (answer.status_code, answer.json()["details"]) == (
        500,
        {"code": "internal", "request_id": REQUEST},
    )
    assert answer.headers["X-Request-ID"] == REQUEST


def _line(world: World, method: str, path: str, **options: Any) -> dict[str, Any]:
    with capture_logs(processors=[merge_contextvars]) as lines:
        world.call("anna", method, path, **options)
    return dict(next(line for line in lines if line["event"] == "request"))


def test_each_request_is_a_line_in_the_log(world: World) -> None:
    world.token("anna")
    line = _line(world, "GET", f"/users/{world.uids['anna']}?search=s3cret")
    assert line.pop("ms") >= 0
    assert line == {
        "event": "request",
        "log_level": "info",
        "method": "GET",
        "route": f"{BASE}/users/{{id}}",
        "status": 200,
        "principal": "anna",
        "address": "127.0.0.1",
        "request_id": REQUEST,
    }


def test_the_log_names_few_routes_whatever_is_asked_for(world: World) -> None:
    world.token("anna")
    assert _line(world, "GET", "/nowhere/s3cret")["route"] == "unknown"
    assert _line(world, "DELETE", "/users")["route"] == f"{BASE}/users"
