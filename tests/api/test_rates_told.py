"""How often one may ask, as the answers tell."""

import time
from ipaddress import ip_network

import pytest

from tests.api.conftest import BASE, World


def _told(world: World, who: str, path: str, **headers: str) -> tuple[int, list[str | None]]:
    answer = world.call(who, "GET", path, headers=headers)
    names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
    return answer.status_code, [answer.headers.get(name) for name in names]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health", 200),
        ("GET", f"{BASE}/health", 200),
        ("GET", f"{BASE}/users", 401),
        ("GET", f"{BASE}/nowhere", 404),
        ("DELETE", f"{BASE}/users", 405),
        ("POST", f"{BASE}/auth/login", 400),
        ("GET", "/api/docs", 200),
        ("GET", f"{BASE}/openapi.json", 200),
        ("OPTIONS", f"{BASE}/users", 405),
        ("HEAD", f"{BASE}/nowhere", 404),
    ],
)
def test_every_answer_says_what_is_left(world: World, method: str, path: str, status: int) -> None:
    answer = world.http.request(method, path)
    assert answer.status_code == status
    limit, remaining, reset = (
        int(answer.headers[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset")
    )
    assert 0 <= remaining < limit
    assert time.time() - 1 <= reset <= time.time() + 62


def test_users_and_the_rest_are_counted_apart_and_by_who_asks(own_world: World) -> None:
    assert [_told(own_world, "admin", "/users")[0] for _ in range(61)] == [200] * 60 + [429]
    status, told = _told(own_world, "admin", "/domains")
    assert (status, told[:2]) == (200, ["1000", "999"])
    assert _told(own_world, "anna", "/users")[0] == 200


def test_a_user_has_one_allowance_whatever_token_is_shown(own_world: World) -> None:
    first = own_world.token("admin")
    own_world._tokens.clear()
    assert own_world.token("admin") != first
    second = own_world.token("admin")
    answers = [
        own_world.http.get(f"{BASE}/users", headers={"Authorization": f"Bearer {token}"})
        for token in (first, second)
    ]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["59", "58"]


def test_one_too_many_is_told_when_to_come_back(own_world: World) -> None:
    own_world.open(rate_users=1)
    _told(own_world, "admin", "/users")
    answer = own_world.call("admin", "GET", "/users")
    assert answer.status_code == 429
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
    details = answer.json()["details"]
    assert (details["code"], details["rate"]) == ("too_many_requests", "users")
    assert details["retry_after"] == int(answer.headers["Retry-After"])


def test_bad_tokens_are_counted_by_address(own_world: World) -> None:
    bad = {"Authorization": "Bearer nonsense"}
    statuses = [own_world.http.get(f"{BASE}/users", headers=bad).status_code for _ in range(61)]
    assert statuses == [401] * 60 + [429]
    assert _told(own_world, "admin", "/users")[0] == 200


@pytest.mark.parametrize("path", [f"{BASE}/nowhere", "/api/docs", f"{BASE}/openapi.json"])
def test_what_is_no_door_is_counted_and_refused_too(own_world: World, path: str) -> None:
    own_world.open(rate_general=3)
    answers = [own_world.http.get(path) for _ in range(4)]
    assert answers[2].status_code in {200, 404}
    refused = answers[3]
    assert (refused.status_code, refused.json()["status"]) == (429, 429)
    assert refused.headers["Retry-After"]
    assert own_world.http.get("/health").status_code == 200


def test_strangers_cannot_choose_their_address(own_world: World) -> None:
    def guess(number: int) -> int:
        headers = {"X-Forwarded-For": f"192.0.2.{number}"}
        body = {"username": f"user{number}", "password": "wrong password"}
        return own_world.http.post(f"{BASE}/auth/login", json=body, headers=headers).status_code

    assert [guess(number) for number in range(6)] == [401] * 5 + [429]
    own_world.open(trusted_proxies=(ip_network("127.0.0.0/8"),))
    assert [guess(number) for number in range(6)] == [401] * 6
