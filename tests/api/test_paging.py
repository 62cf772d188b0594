"""Paging with cursors: whatever is there throughout comes once, in order, while others come and go."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from sqlalchemy import delete, insert

from state.jobs import add_job
from state.tables import jobs
from tests.api.conftest import World

LONG_AGO = datetime(2024, 1, 1, tzinfo=UTC)


def _pages(world: World, path: str, **query: Any) -> Iterator[dict[str, Any]]:
    """Every page, each got by the cursor of the one before."""
    while True:
        answer = world.call("admin", "GET", path, params=query)
        assert answer.status_code == 200, answer.text
        yield answer.json()
        if answer.json()["next"] is None:
            assert "Link" not in answer.headers
            return
        query["cursor"] = answer.json()["next"]


def _job(number: int, random: Random) -> dict[str, Any]:
    """A job whose times tie with those of others, and may be none."""
    moment = LONG_AGO + timedelta(hours=random.randrange(3))
    return {
        "id": str(UUID(int=random.getrandbits(128))),
        "job_type": f"type{number % 2}",
        "owner": "",
        "target": "web1",
        "status": "pending",
        "parameters": {},
        "results": {},
        "priority": random.randrange(3),
        "holder": "",
        "scheduled_for": random.choice([None, moment]),
        "created_at": moment,
    }


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", ["created_at", "scheduled_for", "priority", "id", "job_type"])
def test_nothing_is_skipped_or_doubled_while_others_come_and_go(
    world_on_both: World, sort: str, order: str
) -> None:
    random = Random(f"{sort} {order}")
    there = [_job(number, random) for number in range(60)]
    with world_on_both.database.writing() as connection:
        connection.execute(insert(jobs), there)
    staying, leaving = {each["id"] for each in there[:40]}, there[40:]
    seen: list[dict[str, Any]] = []
    for page in _pages(world_on_both, "/jobs", sort=sort, order=order, limit=7):
        seen += page["jobs"]
        with world_on_both.database.writing() as connection:
            connection.execute(insert(jobs), [_job(number, random) for number in range(3)])
            if leaving:
                connection.execute(delete(jobs).where(jobs.c.id == leaving.pop()["id"]))
    ids = [each["id"] for each in seen]
    assert staying <= set(ids)
    assert len(ids) == len(set(ids))
    places = [(each[sort] is not None, str(each[sort]), each["id"]) for each in seen]
    assert places == sorted(places, reverse=order == "desc")


def test_paging_by_creation_is_right_while_threads_write(world_on_both: World) -> None:
    staying = {world_on_both.site(f"stay{n}.example", "bert").uid for n in range(5)}
    stop = Event()

    def churn(name: str) -> None:
        n = 0
        while not stop.is_set():
            n += 1
            made = world_on_both.call(
                "admin", "POST", "/domains", json={"domain": f"{name}{n}.example"}
            ).json()
            world_on_both.call("admin", "DELETE", f"/domains/{made['id']}")

    threads = [Thread(target=churn, args=(name,)) for name in ("one", "two", "three")]
    for thread in threads:
        thread.start()
    try:
        for _ in range(10):
            found = [
                each["id"] for page in _pages(world_on_both, "/domains", limit=2) for each in page["domains"]
            ]
            assert staying <= set(found)
            assert len(found) == len(set(found))
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_the_next_page_is_linked_to_with_the_same_filters(world: World) -> None:
    for n in range(5):
        world.site(f"a{n}.example", "bert")
    first = world.call("bert", "GET", "/domains?limit=2&is_active=true&page=1")
    target, _, relation = first.headers["Link"].partition("; ")
    assert relation == 'rel="next"'
    split = urlsplit(target.strip("<>"))
    assert parse_qs(split.query) == {"limit": ["2"], "is_active": ["true"], "cursor": [first.json()["next"]]}
    second = world.call("bert", "GET", f"{split.path.removeprefix('/api/v1')}?{split.query}").json()
    assert [each["domain"] for each in second["domains"]] == ["a2.example", "a3.example"]
    assert (second["page"], second["pages"], second["total"]) == (2, 3, 5)


def test_a_list_sorted_by_what_a_spec_says_goes_on_where_it_was(world_on_both: World) -> None:
    for n, template in enumerate(["b", None, "a", None, "b"]):
        world_on_both.site(f"s{n}.example", "bert", proxy_template=template, ssl_force=bool(n % 2))
    for sort in ("proxy_template", "ssl_force", "host", "user_id", "observed_generation", "bandwidth_used"):
        for order in ("asc", "desc"):
            asked = {"sort": sort, "order": order}
            whole = world_on_both.call("bert", "GET", "/domains", params=asked).json()["domains"]
            pages = _pages(world_on_both, "/domains", limit=2, **asked)
            assert [each for page in pages for each in page["domains"]] == whole, sort


def _tampered(cursor: str, place: int, value: Any) -> str:
    fields = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    fields[place] = value
    return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text", ["", "x", "%00", "....", "bnVsbA", "W10", "e30", "é", "a" * 3000, "W1tbW1tb"]
)
def test_garbage_is_no_cursor(world: World, text: str) -> None:
    answer = world.call("admin", "GET", f"/domains?cursor={text}")
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["details"]["errors"]] == ["cursor"]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, "password"), (0, 7), (1, "up"), (2, "0" * 16), (3, 0), (3, 10**9 + 1), (3, 10**30), (3, True), (4, None),
        (4, 7), (4, "yesterday"), (4, "0001-01-01T00:00:00+14:00"), (4, {}), (5, "x"), (5, None), (5, 1), (5, "a\0"),
    ],
)  # fmt: skip
def test_a_tampered_cursor_is_refused(world_on_both: World, place: int, value: Any) -> None:
    for n in range(2):
        world_on_both.site(f"a{n}.example", "bert")
    cursor = world_on_both.call("admin", "GET", "/domains?limit=1").json()["next"]
    answer = world_on_both.call("admin", "GET", f"/domains?cursor={_tampered(cursor, place, value)}")
    assert (answer.status_code, answer.json()["details"]["errors"][0]["field"]) == (422, "cursor")


@pytest.mark.parametrize("query", ["is_active=true", "sort=domain", "order=desc", "page=2"])
def test_a_cursor_is_of_the_list_that_it_came_from(world: World, query: str) -> None:
    for n in range(2):
        world.site(f"a{n}.example", "bert")
    cursor = world.call("admin", "GET", "/domains?limit=1").json()["next"]
    assert world.call("admin", "GET", f"/domains?cursor={cursor}&{query}").status_code == 422


def test_a_cursor_shows_nobody_what_is_not_theirs(world: World) -> None:
    for n in range(4):
        world.site(f"a{n}.example", "bert" if n % 2 else "anna")
    cursor = world.call("admin", "GET", "/domains?limit=1").json()["next"]
    mine = world.call("bert", "GET", f"/domains?cursor={cursor}").json()["domains"]
    assert [each["domain"] for each in mine] == ["a1.example", "a3.example"]


def test_a_number_larger_than_a_column_is_just_not_there(world_on_both: World) -> None:
    with world_on_both.database.writing() as connection:
        for priority in (0, 1):
            add_job(connection, "sweep", priority=priority)
    huge = 2**63 - 1
    assert world_on_both.call("admin", "GET", f"/jobs?priority={huge}").json()["total"] == 0
    cursor = world_on_both.call("admin", "GET", "/jobs?limit=1&sort=priority").json()["next"]
    answer = world_on_both.call("admin", "GET", f"/jobs?cursor={_tampered(cursor, 4, huge)}")
    assert (answer.status_code, answer.json()["jobs"]) == (200, [])
