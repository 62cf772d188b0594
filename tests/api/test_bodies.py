"""Hostile bodies: each is refused with a word on what is wrong, and none does harm."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.body import MIB, MOST_VALUES
from tests.api.authorisation import TABLE, Row
from tests.api.conftest import BASE, World
from tests.api.test_authorisation import WHO, arguments_of

JSON = {"Content-Type": "application/json"}


def _post(world: World, content: bytes | str, **headers: str) -> tuple[int, dict[str, Any]]:
    raw = content if isinstance(content, bytes) else content.encode()
    answer = world.call("admin", "POST", "/packages", content=raw, headers={**JSON, **headers})
    return answer.status_code, answer.json()["details"]


def _fields(details: dict[str, Any]) -> list[str]:
    return [each["field"] for each in details["errors"]]


@pytest.mark.parametrize("depth", [65, 900, 100_000])
@pytest.mark.parametrize("brackets", ["[]", ('{"a":', "}")])
def test_a_body_nested_too_deeply_is_malformed(world: World, depth: int, brackets: Any) -> None:
    inner = brackets[0] * depth + ("1" if brackets[0] != "[" else "") + brackets[1] * depth
    assert _post(world, f'{{"name": {inner}}}')[0] == 400


def test_a_name_that_is_there_twice_is_told(world: World) -> None:
    status, details = _post(world, '{"name": "a", "disk_quota": 1, "name": "b"}')
    assert (status, _fields(details)) == (422, ["name"])


def test_a_name_that_is_there_twice_deep_inside_is_told(world: World) -> None:
    assert _post(world, '{"name": {"x": [{"\\ud800": 1, "\\ud800": 2}]}}')[0] == 422


@pytest.mark.parametrize(
    "number", ["1e400", "-1e400", "1" * 25, "1" * 100_000, "-" + "9" * 20, "9223372036854775808"]
)
def test_a_number_that_is_too_large_is_told_with_its_place(world: World, number: str) -> None:
    status, details = _post(world, f'{{"name": "a", "disk_quota": {number}, "x": [{number}]}}')
    assert (status, _fields(details)) == (422, ["disk_quota", "x.0"])


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "0x10", "01", "+1", "1."])
def test_what_is_no_number_of_json_is_malformed(world: World, number: str) -> None:
    assert _post(world, f'{{"name": "a", "disk_quota": {number}}}')[0] == 400


def test_texts_that_no_database_takes_are_told_with_their_places(world: World) -> None:
    status, details = _post(world, '{"name": "a\\u0000", "x": {"y": ["\\udfff", "ok"]}}')
    assert (status, _fields(details)) == (422, ["name", "x.y.0"])


@pytest.mark.parametrize("members", [{"": 1}, {"a" * 257: 1}, {"\0": 1}, {"\ud800": 1}])
def test_names_are_bounded(world: World, members: dict[str, int]) -> None:
    status, details = _post(world, json.dumps({"name": "a", "x": members}))
    assert (status, _fields(details)) == (422, ["x"])


def test_an_object_has_a_bounded_number_of_members(world: World) -> None:
    assert _post(world, json.dumps({str(n): n for n in range(1001)}))[0] == 422


def test_many_members_of_which_two_are_alike_are_refused_quickly(world: World) -> None:
    pairs = ",".join(f'"{n}":1' for n in range(60_000))
    assert _post(world, f'{{{pairs},"0":1}}')[0] == 422


@pytest.mark.parametrize(
    "media",
    ["", "text/json", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
     "application/json; charset=latin-1", "application/json; charset=utf-16", "application/json, text/plain"],
)  # fmt: skip
def test_another_media_type_or_charset_is_not_supported(world: World, media: str) -> None:
    assert _post(world, '{"name": "a"}', **{"Content-Type": media})[0] == 415


def test_an_encoded_body_is_not_supported(world: World) -> None:
    assert _post(world, b"\x1f\x8b", **{"Content-Encoding": "gzip"})[0] == 415


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_merge_patch_is_for_patch_alone(world: World, method: str) -> None:
    path = "/packages" if method == "POST" else f"/packages/{world.uids['basic']}"
    headers = {"Content-Type": "application/merge-patch+json"}
    assert world.call("admin", method, path, json={"name": "basic"}, headers=headers).status_code == 415


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", 'Application/JSON; charset="UTF-8"'])
def test_json_in_utf_8_is_supported_however_it_is_said(world: World, media: str) -> None:
    answer = world.call(
        "admin", "POST", "/packages", content=b'{"name": "a"}', headers={"Content-Type": media}
    )
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "content", [b'\xef\xbb\xbf{"name": "a"}', '{"name": "a"}'.encode("utf-16"), b'{"name": "\xff"}']
)
def test_what_is_not_utf_8_is_malformed(world: World, content: bytes) -> None:
    assert _post(world, content)[0] == 400


def test_only_a_plan_may_be_as_large_as_a_whole_company(world: World) -> None:
    padded = b'{"prune": 7, "owner": "' + b" " * (2 * MIB) + b'"}'
    assert world.call("admin", "POST", "/plans", content=padded, headers=JSON).status_code == 422
    assert world.call("admin", "POST", "/packages", content=padded, headers=JSON).status_code == 413
    assert world.call("admin", "POST", "/plans", content=padded * 9, headers=JSON).status_code == 413


@pytest.mark.parametrize("token", [{}, {"Authorization": "Bearer nonsense"}])
@pytest.mark.parametrize("length", [{}, {"Content-Length": str(15 * MIB)}])
def test_a_large_body_is_read_from_nobody_unknown(
    world: World, token: dict[str, str], length: dict[str, str]
) -> None:
    read = []

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(15):
            read.append(MIB)
            yield b" " * MIB

    answer = world.http.post(f"{BASE}/plans", content=chunks(), headers={**JSON, **length, **token})
    assert (answer.status_code, sum(read)) == (401, 0)


def test_of_many_faults_the_first_are_told_and_how_many_more(world: World) -> None:
    wrong = {"documents": [1] * 5000}
    answer = world.call("admin", "POST", "/plans", json=wrong)
    details = answer.json()["details"]
    assert (answer.status_code, len(details["errors"]), details["more_errors"]) == (422, 100, 4900)
    assert (
        "more_errors" not in world.call("admin", "POST", "/plans", json={"documents": [1]}).json()["details"]
    )


def test_a_body_of_more_values_than_anybody_means_is_refused_unread(world: World) -> None:
    content = b'{"documents": [' + b"1," * MOST_VALUES + b"1]}"
    answer = world.call("admin", "POST", "/plans", content=content, headers=JSON)
    assert (answer.status_code, _fields(answer.json()["details"])) == (422, [""])


OURS = {
    "id": "00000000-0000-0000-0000-000000000000",
    "uid": "00000000-0000-0000-0000-000000000000",
    "generation": 9,
    "observed_generation": 9,
    "conditions": [],
    "created_at": "2020-01-01T00:00:00Z",
    "updated_at": "2020-01-01T00:00:00Z",
    "deleted_at": None,
    "pending": False,
    "number": 0,
    "role": "admin",
    "web_domains_count": 0,
    "__class__": "x",
}
BODIES = [row for row in TABLE if row.body is not None and row.route.split()[0] in {"POST", "PUT", "PATCH"}]


@pytest.mark.parametrize("role", ["admin", "user"])
@pytest.mark.parametrize("row", BODIES, ids=lambda row: row.route)
def test_nobody_writes_what_the_system_knows(world: World, row: Row, role: str) -> None:
    """Every door that takes a body refuses every field that is not the caller's to set."""
    method, _, path = row.route.partition(" ")
    filled = path.format(**arguments_of(world, row, role, "own")) if "{" in path else path
    media = "application/merge-patch+json" if method == "PATCH" else "application/json"
    given = "/users" in row.route and role == "admin"
    for name, value in OURS.items() if not given else [(n, v) for n, v in OURS.items() if n != "role"]:
        body = json.dumps({**dict(row.body or {}), name: value})
        answer = world.call(
            WHO[role], method, filled, content=body, headers={**row.headers, "Content-Type": media}
        )
        assert answer.status_code in {403, 422}, (name, answer.status_code, answer.text)
