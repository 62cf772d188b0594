"""A dry run of any write stores nothing: not a row of any table is another one afterwards."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from api.app import ROUTES
from state.plans import answer, take_plan
from tests.api.authorisation import ROLES, TABLE, Row
from tests.api.conftest import World, Worlds, report_of
from tests.api.snapshot import changed, contents
from tests.api.test_authorisation import WHO, arguments_of
from tests.conftest import Stage

TRIED = {
    f"{each.method} {each.path}"
    for each in ROUTES
    if each.writes and any(parameter.name == "dry_run" for parameter in each.docs.parameters)
}
GUESSES = {"attempts"}
ROWS = [row for row in TABLE if row.route in TRIED]


@contextmanager
def _worker(world: World) -> Iterator[None]:
    """Answers plans, and stops when none is left."""
    stopped = threading.Event()

    def work() -> None:
        while not stopped.wait(0.005):
            with world.database.writing() as connection:
                plan = take_plan(connection)
                if plan:
                    answer(connection, plan.id, "ready", report_of(plan.request))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _try(world: World, row: Row, role: str, relation: str) -> Any:
    method, _, path = row.route.partition(" ")
    arguments = arguments_of(world, row, role, relation) if row.of else {}
    body: Any = dict(row.body) if row.body is not None else None
    if row.owned:
        body, arguments = body | {"user_id": arguments["id"]}, {}
    headers = dict(row.headers)
    if method == "PATCH":
        headers["Content-Type"] = "application/merge-patch+json"
    before = contents(world.database)
    answer = world.call(
        WHO[role], method, f"{path.format(**arguments)}?dry_run=true", json=body, headers=headers
    )
    assert changed(before, contents(world.database)) <= (GUESSES if "/auth/" in row.route else set())
    return answer


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.route)
def test_a_dry_run_answers_like_the_write_and_stores_nothing(
    worlds: Worlds, stage: Stage, row: Row, role: str
) -> None:
    for relation, status in row.expected(role).items():
        world = worlds.on(stage)
        world.token(WHO[role])
        with _worker(world):
            answer = _try(world, row, role, relation)
        assert answer.status_code == (200 if status < 300 else status), answer.text
        if status < 300:
            assert answer.json()["id"] is None
            assert answer.json()["report"]["version"] == 1


def test_every_write_of_an_object_can_be_tried() -> None:
    untried = {f"{each.method} {each.path}" for each in ROUTES if each.writes} - TRIED
    assert {route for route in untried if "/auth/" not in route} == set()


def test_a_dry_run_that_nobody_answers_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.rehearsal.PATIENCE", 0.1)
    before = contents(world.database)
    answer = world.call("anna", "POST", "/domains?dry_run=true", json={"domain": "new.example"})
    assert (answer.status_code, answer.json()["details"]["code"]) == (504, "no_worker")
    assert changed(before, contents(world.database)) == set()


def test_a_dry_run_of_everything_leaves_no_plan(world: World, worker: None) -> None:
    before = contents(world.database)
    answer = world.call("admin", "POST", "/plans?dry_run=true", json={})
    assert (answer.status_code, answer.json()["id"], answer.json()["status"]) == (200, None, "ready")
    assert changed(before, contents(world.database)) == set()
