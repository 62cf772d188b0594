"""What goes wrong, in the one form that the specification gives it."""

import socket
from collections.abc import AsyncIterator

import pytest
import structlog

from api.body import MIB
from api.errors import STATUS
from state.errors import GhostError
from tests.api.conftest import BASE, REQUEST, World
from tests.api.streams import serving
from tests.reconciler.webhooks.offices import until

JSON = {"Content-Type": "application/json"}

ID = {"request_id": REQUEST}


@pytest.mark.parametrize("content", ["{", "", "[1", '{"a": NaN}', "\xff", '{"a":1}}', "[" * 100_000])
def test_what_is_not_json_is_malformed(world: World, content: str) -> None:
    answer = world.call("admin", "POST", "/users", content=content.encode("latin-1"), headers=JSON)
    assert (answer.status_code, answer.json()["details"]["code"]) == (400, "malformed")


@pytest.mark.parametrize("content", ["[]", '"x"', "1", "true"])
def test_what_is_no_object_is_invalid(world: World, content: str) -> None:
    assert world.call("admin", "POST", "/users", content=content, headers=JSON).status_code == 422


def test_another_content_type_is_refused(world: World) -> None:
    answer = world.call("admin", "POST", "/users", content="{}", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415


def test_a_body_that_is_too_large_is_refused(world: World) -> None:
    answer = world.call("admin", "POST", "/users", content=b" " * (MIB + 1), headers=JSON)
    assert answer.status_code == 413


def test_a_body_that_does_not_say_how_large_it_is_is_measured(world: World) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b" " * 65536

    assert world.call("admin", "POST", "/users", content=chunks(), headers=JSON).status_code == 413


def test_who_leaves_while_sending_is_no_failure_of_ours(world: World) -> None:
    head = f"POST {BASE}/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n"
    with serving(world) as url:
        host, port = url.removeprefix("http://").split(":")
        with structlog.testing.capture_logs() as logs:
            with socket.create_connection((host, int(port))) as line:
                line.sendall(f"{head}\r\n{{".encode())
            until(lambda: [each for each in logs if each["event"] == "request"])
    assert [each["status"] for each in logs if each["event"] == "request"] == [499]
    assert [each for each in logs if each["log_level"] == "error"] == []


def test_a_path_that_is_not_there_is_not_found(world: World) -> None:
    answer = world.http.get(f"{BASE}/nowhere")
    assert answer.json() == {"error": "Not Found", "status": 404, "details": {"code": "not_found", **ID}}


def test_a_method_that_is_not_there_is_not_allowed(world: World) -> None:
    answer = world.call("admin", "DELETE", "/users")
    assert (answer.status_code, answer.json()["details"]["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("uid", ["nonexistent-id", "00000000-0000-0000-0000-000000000000", "%00", "..%2f"])
def test_an_object_that_is_not_there_is_not_found(world: World, uid: str) -> None:
    answer = world.call("admin", "GET", f"/users/{uid}")
    assert answer.status_code == 404
    assert answer.json()["status"] == 404


def test_a_missing_object_is_named(world: World) -> None:
    answer = world.call("admin", "GET", "/users/nonexistent-id").json()
    details = {"code": "not_found", "resource": "user", "id": "nonexistent-id", **ID}
    assert answer == {"error": "Resource not found", "status": 404, "details": details}


def test_an_object_of_another_kind_is_not_found(world: World) -> None:
    assert world.call("admin", "GET", f"/users/{world.uids['default']}").status_code == 404


def test_a_fault_of_ours_tells_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ValueError("the secret inside")

    monkeypatch.setattr("api.routes.hosts.host_view", broken)
    answer = world.call("admin", "GET", "/hosts/web1")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.json()["details"] == {"code": "internal", **ID}


def test_every_error_has_its_status() -> None:
    def tree(error: type[GhostError]) -> list[type[GhostError]]:
        return [error, *(each for child in error.__subclasses__() for each in tree(child))]

    for error in tree(GhostError):
        assert any(each in STATUS for each in error.__mro__)


def test_health_needs_no_token(world: World) -> None:
    healthy = {"status": "healthy", "service": "ghostcp-api", "version": "0.1.0"}
    assert world.http.get("/health").json() == healthy
    assert world.http.get(f"{BASE}/health").json() == healthy
