"""Entity tags of every object (RFC 9110, sections 8.8.3 and 13): who has it already, and who is late."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert

from state.document import Condition, Document, Status
from state.statuses import save_statuses
from state.tables import job_lines
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


READ = [row for row in TABLE if row.route.startswith("GET ") and "metrics" not in row.route]


@pytest.mark.parametrize("row", READ, ids=lambda row: row.route)
def test_head_is_answered_like_get_without_the_body(world: World, row: Row) -> None:
    path = (_path(world, row) if row.of else row.route.partition(" ")[2]) + row.query
    head, get = world.call("admin", "HEAD", path), world.call("admin", "GET", path)
    assert (head.status_code, head.content) == (get.status_code, b"")
    for name in ("Content-Type", "Content-Length", "ETag", "Cache-Control", "Link"):
        assert head.headers.get(name) == get.headers.get(name), name
    if "ETag" in get.headers:
        again = world.call("admin", "HEAD", path, headers={"If-None-Match": get.headers["ETag"]})
        assert again.status_code == 304


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


SITES = ("/domains/{site}", "/documents/WebDomain/anna.example")


def _observe(world: World, site: Document) -> None:
    condition = Condition("Ready", True, "Converged", "", 1, datetime(2026, 1, 1, tzinfo=UTC))
    with world.database.writing() as connection:
        save_statuses(connection, [Status(site.uid, 1, (condition,))])


@pytest.mark.parametrize("header", ["If-None-Match", "If-Match"])
def test_what_is_found_is_shown_to_who_has_an_older_state_and_keeps_nobody_from_writing(
    world: World, header: str
) -> None:
    site = world.site("anna.example", "anna")
    path = f"/domains/{site.uid}"
    tag = world.call("anna", "GET", path).headers["ETag"]
    assert tag.startswith('"1-')
    assert world.call("anna", "GET", path, headers={"If-None-Match": tag}).status_code == 304
    _observe(world, site)
    if header == "If-Match":
        answer = world.call("anna", "PUT", path, json={"aliases": []}, headers={"If-Match": tag})
        assert answer.status_code == 200
        return
    again = world.call("anna", "GET", path, headers={"If-None-Match": tag})
    assert (again.status_code, again.json()["observed_generation"]) == (200, 1)
    assert again.json()["conditions"][0]["type"] == "Ready"
    assert again.headers["ETag"] != tag


def test_counters_are_shown_to_who_has_an_older_state(world: World) -> None:
    for path in (f"/users/{world.uids['anna']}", "/auth/me"):
        tag = world.call("anna", "GET", path).headers["ETag"]
        world.site(f"site{len(path)}.example", "anna")
        assert world.call("anna", "GET", path, headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("path", SITES)
@pytest.mark.parametrize("known", ['"1"', '"1-whatever"', 'W/"9", "1"', "*"])
def test_a_generation_alone_protects_from_overwriting(world: World, path: str, known: str) -> None:
    site, body = world.site("anna.example", "anna"), {"aliases": ["a.example"]}
    where = path.format(site=site.uid)
    sent = {"spec": body} if "documents" in path else body
    headers = {"If-Match": known}
    assert world.call("anna", "PUT", where, json=sent, headers=headers).status_code == 200
    late = world.call("anna", "DELETE", where, headers=headers).status_code
    assert late == (204 if known == "*" else 412)


def test_a_log_that_grew_is_shown_to_who_has_an_older_state(world: World) -> None:
    made = world.call("admin", "POST", "/jobs", json={"job_type": "sweep", "parameters": {"host": "web1"}})
    path, tag = made.headers["Location"].removeprefix("/api/v1"), made.headers["ETag"]
    with world.database.writing() as connection:
        connection.execute(
            insert(job_lines).values(job=made.json()["id"], at=datetime.now(UTC), line="a line")
        )
    again = world.call("admin", "GET", path, headers={"If-None-Match": tag})
    assert (again.status_code, again.json()["output_log"]) == (200, "a line")
    assert world.call("admin", "DELETE", path, headers={"If-Match": tag}).status_code == 204


def test_a_weak_tag_never_protects_from_overwriting(world: World) -> None:
    path = f"/users/{world.uids['anna']}"
    tag = world.call("anna", "GET", path).headers["ETag"]
    answer = world.call("anna", "PUT", path, json={"full_name": "A"}, headers={"If-Match": f"W/{tag}"})
    assert answer.status_code == 412
