"""Which way the database takes to a page: by an index that has the page's order, never through a whole table."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event, insert

from state.database import Database
from state.journal.tables import audit, deliveries, webhooks
from state.tables import documents, jobs, plans, statuses
from tests.api.conftest import World, Worlds
from tests.conftest import Stage

START = datetime(2024, 1, 1, tzinfo=UTC)
SITES, RUNS = 12_000, 4_000
SPEC = {"document_root": "/home/somebody/web/" + "x" * 300}
HOOK = "6fd64d5c-0000-4000-8000-000000000000"
Statement = tuple[str, Any]


@pytest.fixture
def crowded(worlds: Worlds, stage: Stage) -> World:
    """A world with many sites, jobs, plans and audit entries, whose statistics the database knows."""
    world = worlds.on(stage)
    if "crowded" not in stage.templates:
        _crowd(world)
        with stage.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in ("VACUUM", "ANALYZE"):
                connection.exec_driver_sql(statement)
        stage.keep("crowded")
    stage.reset("crowded")
    return world


def _crowd(world: World) -> None:
    owners = [*["bert"] * 60, *(f"tenant{n}" for n in range(240))]
    sites = [_site(n, owners[n % len(owners)]) for n in range(SITES)]
    states = ["completed"] * 50 + ["failed", "pending"]
    runs = [_run(n, owners[n % len(owners)], states[n % len(states)]) for n in range(RUNS)]
    hook = {
        "id": HOOK,
        "uid": world.uids["bert"],
        "url": "https://a.example",
        "events": [],
        "secret": "",
    }
    hook |= {"is_active": True, "disabled_reason": "", "since": 0}
    with world.database.writing() as connection:
        connection.execute(insert(documents), sites)
        empty: dict[str, Any] = {"conditions": [], "applied": {}, "refused": {}, "repairs": {}}
        rows = [{"uid": each["uid"], "observed_generation": 1, "ready": True, **empty} for each in sites]
        connection.execute(insert(statuses), rows)
        connection.execute(insert(jobs), runs)
        connection.execute(insert(plans), [_plan(n, owners[n % len(owners)]) for n in range(RUNS)])
        connection.execute(insert(audit), [_entry(n, world) for n in range(100, RUNS)])
        connection.execute(insert(webhooks), hook | {"created_at": START, "updated_at": START})
        connection.execute(insert(deliveries), [_delivery(n, HOOK) for n in range(RUNS)])


def _at(n: int) -> datetime:
    return START + timedelta(seconds=n)


def _site(n: int, owner: str) -> dict[str, Any]:
    plain = {
        "generation": 1,
        "wanted": 1,
        "pending": False,
        "confirmed": True,
        "target": "web1",
        "spec": SPEC,
    }
    named = {"uid": str(uuid4()), "kind": "WebDomain", "name": f"s{n}.example", "owner": owner}
    return {**plain, **named, "created_at": _at(n), "updated_at": _at(n)}


def _run(n: int, owner: str, status: str) -> dict[str, Any]:
    plain = {"job_type": "reconcile", "target": "web1", "parameters": {}, "results": {}, "priority": 0}
    return {**plain, "id": str(uuid4()), "owner": owner, "status": status, "holder": "", "created_at": _at(n)}


def _plan(n: int, owner: str) -> dict[str, Any]:
    plain: dict[str, Any] = {"request": {}, "base": {}, "status": "ready", "report": None}
    return {**plain, "id": str(uuid4()), "owner": owner, "created_at": _at(n)}


def _entry(n: int, world: World) -> dict[str, Any]:
    who = ("bert", world.uids["bert"]) if n % 40 == 0 else (f"tenant{n % 99}", str(uuid4()))
    plain = dict.fromkeys(
        ("role", "token", "address", "request_id", "action", "object_type", "owner", "result"), ""
    )
    chain = {"previous": "", "digest": ""}
    return {**plain, **chain, "id": n, "at": _at(n), "actor": who[0], "actor_id": who[1], "object_id": str(n)}


def _delivery(n: int, webhook: str) -> dict[str, Any]:
    plain = {"event": "job.started", "body": "{}", "status": "delivered", "attempts": 1, "message": ""}
    return {**plain, "id": str(uuid4()), "number": n, "webhook": webhook, "created_at": _at(n)}


@contextmanager
def _overheard(database: Database) -> Iterator[list[Statement]]:
    """The queries that the database is asked meanwhile."""
    heard: list[Statement] = []

    def hear(_c: Any, _u: Any, statement: str, parameters: Any, _x: Any, _m: bool) -> None:
        if statement.lstrip().startswith("SELECT"):
            heard.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        event.remove(database.engine, "before_cursor_execute", hear)


def _ways(database: Database, heard: list[Statement], table: str) -> list[str]:
    """How SQLite carries out each of the queries of this table."""
    asked = [each for each in heard if f"FROM {table}" in each[0]]
    with database.reading() as connection:
        ways = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {each[0]}", each[1]).all() for each in asked]
    return ["; ".join(row[-1] for row in way) + ";" for way in ways]


def _visits(database: Database, heard: list[Statement], table: str) -> list[tuple[int, set[str]]]:
    """How many of this table's rows PostgreSQL went through for each query, and by which indexes."""
    asked = [each for each in heard if f"FROM {table}" in each[0]]
    with database.reading() as connection:
        found = [
            connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {each[0]}", each[1]) for each in asked
        ]
        nodes = [list(_nodes(each.scalar_one()[0]["Plan"])) for each in found]
    return [_visited(each, table) for each in nodes]


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _nodes(each)


def _visited(nodes: list[dict[str, Any]], table: str) -> tuple[int, set[str]]:
    mine = [each for each in nodes if each.get("Relation Name") == table or "Index Name" in each]
    rows = [
        (each["Actual Rows"] + each.get("Rows Removed by Filter", 0)) * each["Actual Loops"] for each in mine
    ]
    return max(map(int, rows), default=0), {str(each.get("Index Name")) for each in mine}


PAGES = (
    ("admin", "/domains", "documents", "ix_documents_listing"),
    ("admin", "/domains?sort=created_at&order=desc", "documents", "ix_documents_listing"),
    ("bert", "/domains", "documents", "ix_documents_owner"),
    ("admin", "/domains?user_id={bert}", "documents", "ix_documents_owner"),
    ("admin", "/domains?domain=s77.example", "documents", "uq_documents_alive"),
    ("admin", "/documents", "documents", "ix_documents_created"),
    ("admin", "/jobs", "jobs", "ix_jobs_listing"),
    ("admin", "/jobs?status=pending", "jobs", "ix_jobs_status"),
    ("bert", "/jobs", "jobs", "ix_jobs_owner"),
    ("admin", "/plans", "plans", "ix_plans_listing"),
    ("bert", "/plans", "plans", "ix_plans_owner"),
    ("bert", f"/webhooks/{HOOK}/deliveries", "deliveries", "ix_deliveries_listing"),
    ("bert", f"/webhooks/{HOOK}/deliveries?status=failed", "deliveries", "ix_deliveries_"),
)


@pytest.mark.parametrize(("who", "path", "table", "index"), PAGES)
def test_a_page_is_found_by_an_index(crowded: World, who: str, path: str, table: str, index: str) -> None:
    path = path.format(**crowded.uids)
    with _overheard(crowded.database) as heard:
        answer = crowded.call(who, "GET", path)
        assert answer.status_code == 200
        following = answer.json()["next"]
        if following:
            crowded.call(who, "GET", f"{path}{'&' if '?' in path else '?'}cursor={following}")
    pages = [each for each in heard if "LIMIT" in each[0]]
    if not crowded.database.sqlite:
        visits = _visits(crowded.database, pages, table)
        assert visits
        assert max(rows for rows, _ in visits) <= 100
        assert not any("None" in indexes for _, indexes in visits)
        return
    ways = _ways(crowded.database, pages, table)
    assert all(index in way for way in ways), ways
    assert not [way for way in ways if f"SCAN {table};" in way or "TEMP B-TREE FOR ORDER BY" in way]


def test_the_number_of_all_is_counted_in_an_index(crowded: World) -> None:
    with _overheard(crowded.database) as heard:
        assert crowded.call("admin", "GET", "/domains").json()["total"] == SITES
    counts = [each for each in heard if "count(" in each[0]]
    if crowded.database.sqlite:
        assert "COVERING INDEX ix_documents_" in _ways(crowded.database, counts, "documents")[0]
    else:
        assert "None" not in _visits(crowded.database, counts, "documents")[0][1]


def test_a_page_far_behind_is_joined_to_nothing_on_the_way(crowded: World) -> None:
    with _overheard(crowded.database) as heard:
        answer = crowded.call("admin", "GET", f"/domains?page={SITES // 20}")
    assert [each["domain"] for each in answer.json()["domains"]] == [
        f"s{n}.example" for n in range(SITES - 20, SITES)
    ]
    pages = [each for each in heard if "LIMIT" in each[0]]
    if crowded.database.sqlite:
        assert "COVERING INDEX ix_documents_listing" in _ways(crowded.database, pages, "documents")[0]
    else:
        assert "None" not in _visits(crowded.database, pages, "documents")[0][1]


def test_what_a_new_site_comes_upon_is_found_by_indexes(crowded: World) -> None:
    bert = crowded.uids["bert"]
    assert crowded.call("admin", "PUT", f"/users/{bert}", json={"web_domains_limit": 0}).is_success
    body = {"domain": "new.example", "user_id": bert}
    with _overheard(crowded.database) as heard:
        assert crowded.call("admin", "POST", "/domains", json=body).status_code == 201
    if crowded.database.sqlite:
        ways = _ways(crowded.database, heard, "documents")
        assert ways
        assert not [way for way in ways if "SCAN documents" in way or "SCAN users" in way]
        return
    visits = _visits(crowded.database, heard, "documents")
    assert max(rows for rows, _ in visits) <= 10
