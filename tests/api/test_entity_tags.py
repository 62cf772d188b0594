"""Entity tags of every object (RFC 9110, sections 8.8.3 and 13): who has it already, and who is late."""

from typing import Any

import pytest

from tests.api.authorisation import TABLE, Row
from tests.api.conftest import World
from tests.api.test_authorisation import arguments_of

ONE = [row for row in TABLE if row.route.startswith("GET ") and row.route.endswith(("{id}", "{name}"))]
CHANGED = [
    row for row in TABLE if row.route.split()[0] in {"PUT", "PATCH", "DELETE"} and "403" not in row.admin
]


def _path(world: World, row: Row) -> str:
    return row.route.partition(" ")[2].format(**arguments_of(world, row, "admin", "managed"))


@pytest.mark.parametrize("row", ONE, ids=lambda row: row.route)
def test_every_object_has_a_tag_by_which_it_is_known(world: World, row: Row) -> None:
    path = _path(world, row)
    tag = world.call("admin", "GET", path).headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = world.call("admin", "GET", path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)
    assert world.call("admin", "GET", path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("tag", ['"other"', 'W/"other"', "other", '""'])
@pytest.mark.parametrize("row", CHANGED, ids=lambda row: row.route)
def test_every_change_is_refused_to_who_is_late(world: World, row: Row, tag: str) -> None:
    path, media = _path(world, row), {}
    if row.route.startswith("PATCH"):
        media["Content-Type"] = "application/merge-patch+json"
    body: Any = dict(row.body) if row.body is not None else None
    before = world.call("admin", "GET", path)
    answer = world.call("admin", row.route.split()[0], path, json=body, headers={"If-Match": tag, **media})
    assert (answer.status_code, answer.json()["details"]["code"]) == (412, "stale")
    assert world.call("admin", "GET", path).headers["ETag"] == before.headers["ETag"]


@pytest.mark.parametrize("row", CHANGED, ids=lambda row: row.route)
def test_every_change_is_made_by_who_is_in_time(world: World, row: Row) -> None:
    path, media = _path(world, row), {}
    if row.route.startswith("PATCH"):
        media["Content-Type"] = "application/merge-patch+json"
    tag = world.call("admin", "GET", path).headers["ETag"]
    body: Any = dict(row.body) if row.body is not None else None
    given = {"If-Match": f'"other", {tag}', **media}
    assert world.call("admin", row.route.split()[0], path, json=body, headers=given).status_code < 300


def test_a_weak_tag_never_protects_from_overwriting(world: World) -> None:
    path = f"/users/{world.uids['anna']}"
    tag = world.call("anna", "GET", path).headers["ETag"]
    answer = world.call("anna", "PUT", path, json={"full_name": "A"}, headers={"If-Match": f"W/{tag}"})
    assert answer.status_code == 412
