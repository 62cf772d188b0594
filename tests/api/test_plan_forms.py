"""A plan as JSON, HTML, Markdown or text; the list of plans, and forgetting one."""

from typing import Any

import pytest
from sqlalchemy import select, update

from state.plans import KEPT, answer, ask
from state.tables import plans
from tests.api.conftest import World, report_of

HOSTILE = "<script>alert('x')</script>\x1b[2J"


def _plan(world: World, owner: str = "admin", *, ready: bool = True) -> str:
    overlay = [{"kind": "WebDomain", "name": HOSTILE, "owner": "anna"}]
    request: dict[str, Any] = {"overlay": overlay, "documents": [], "writes": []}
    with world.database.writing() as connection:
        plan = ask(connection, owner, request, {})
        if ready:
            answer(connection, plan, "ready", report_of(request))
    return plan


def _get(world: World, plan: str, accept: str) -> Any:
    return world.call("admin", "GET", f"/plans/{plan}", headers={"Accept": accept})


@pytest.mark.parametrize(
    ("accept", "media", "begins"),
    [
        ("text/html", "text/html; charset=utf-8", "<!doctype html>"),
        ("text/markdown", "text/markdown; charset=utf-8", "# Plan"),
        ("text/plain", "text/plain; charset=utf-8", "Host web1"),
        ("application/json", "application/json", "{"),
        ("text/html;q=0.1, text/plain", "text/plain; charset=utf-8", "Host web1"),
    ],
)
def test_a_plan_has_the_form_that_was_asked_for(world: World, accept: str, media: str, begins: str) -> None:
    found = _get(world, _plan(world), accept)
    assert (found.status_code, found.headers["Content-Type"], found.headers["Vary"]) == (200, media, "Accept")
    assert found.text.startswith(begins)


def test_nothing_in_a_page_is_markup_or_steers_a_terminal(world: World) -> None:
    page = _get(world, _plan(world), "text/html").text
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\x1b" not in page + _get(world, _plan(world), "text/plain").text


def test_each_form_has_a_tag_of_its_own(world: World) -> None:
    plan = _plan(world)
    forms = ("application/json", "text/html", "text/markdown", "text/plain")
    tags = {_get(world, plan, form).headers["ETag"] for form in forms}
    assert len(tags) == 4
    one = _get(world, plan, "text/html").headers["ETag"]
    headers = {"Accept": "text/html", "If-None-Match": one}
    assert world.call("admin", "GET", f"/plans/{plan}", headers=headers).status_code == 304


def test_a_form_that_there_is_not_is_not_acceptable(world: World) -> None:
    found = _get(world, _plan(world), "application/pdf")
    assert (found.status_code, found.json()["details"]["code"]) == (406, "not_acceptable")


@pytest.mark.parametrize("accept", ["text/html", "text/markdown", "text/plain"])
def test_a_plan_without_a_report_yet_says_so(world: World, accept: str) -> None:
    assert _get(world, _plan(world, ready=False), accept).text == "The plan is pending: ask again.\n"


def test_ones_plans_are_listed_without_their_reports(world_on_both: World) -> None:
    for owner in ("admin", "anna", "anna"):
        _plan(world_on_both, owner)
    assert world_on_both.call("admin", "GET", "/plans").json()["total"] == 3
    listed = world_on_both.call("anna", "GET", "/plans?status=ready").json()
    assert listed["total"] == 2
    assert set(listed["plans"][0]) == {"id", "status", "owner", "created_at"}


def test_a_plan_is_forgotten(world: World) -> None:
    plan = _plan(world, "anna")
    assert world.call("bert", "DELETE", f"/plans/{plan}").status_code == 404
    assert world.call("anna", "DELETE", f"/plans/{plan}").status_code == 204
    assert world.call("anna", "GET", f"/plans/{plan}").status_code == 404


def test_an_old_plan_goes_when_a_new_one_is_asked_for(world_on_both: World) -> None:
    old = _plan(world_on_both)
    with world_on_both.database.writing() as connection:
        made = connection.execute(select(plans.c.created_at)).scalar_one()
        connection.execute(update(plans).values(created_at=made - KEPT))
    _plan(world_on_both)
    assert world_on_both.call("admin", "GET", f"/plans/{old}").status_code == 404
