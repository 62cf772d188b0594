"""Lists: pages, filters, order and search, done by the database."""

import pytest

from api.app import ROUTES
from api.door import Route
from state.jobs import add_job
from tests.api.authorisation import TABLE, Row
from tests.api.conftest import World, Worlds
from tests.api.test_authorisation import arguments_of
from tests.conftest import Stage


def _names(world: World, query: str) -> list[str]:
    answer = world.call("admin", "GET", f"/users?{query}")
    assert answer.status_code == 200, answer.text
    return [each["username"] for each in answer.json()["users"]]


def test_pages_cover_all_objects_once(world_on_both: World) -> None:
    for i in range(7):
        world_on_both.user(f"user{i}", full_name="Same")
    seen: list[str] = []
    for page in (1, 2, 3):
        answer = world_on_both.call(
            "admin", "GET", f"/users?limit=3&page={page}&full_name=Same&sort=full_name"
        ).json()
        assert (answer["total"], answer["page"], answer["limit"], answer["pages"]) == (7, page, 3, 3)
        seen += [each["username"] for each in answer["users"]]
    assert sorted(seen) == [f"user{i}" for i in range(7)]


def test_a_page_after_the_last_is_empty(world: World) -> None:
    answer = world.call("admin", "GET", "/users?page=9").json()
    assert (answer["users"], answer["total"]) == ([], 4)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("role=user", ["anna", "bert"]),
        ("role=user,reseller&sort=username", ["anna", "bert", "resi"]),
        ("username=anna", ["anna"]),
        ("disk_quota=0", ["resi"]),
        ("web_domains_limit=10,11", ["resi"]),
        ("is_suspended=true", []),
        ("search=ANNA", ["anna"]),
        ("search=%25", []),
        ("search=nna@example", ["anna"]),
        ("sort=username&order=desc", ["resi", "bert", "anna", "admin"]),
        ("sort=disk_quota&order=asc&limit=1", ["resi"]),
        ("created_after=2020-01-01&created_before=2020-12-31", []),
        ("created_after=2020-01-01&role=admin", ["admin"]),
        ("updated_at_before=2999-01-01T00:00:00Z&role=admin", ["admin"]),
        ("web_domains_count=1", ["anna"]),
        ("disk_used=0&role=admin", ["admin"]),
        ("observed_generation=0&role=reseller", ["resi"]),
        ("disk_quota=9007199254740992", []),
    ],
)
def test_the_database_filters_sorts_and_searches(world_on_both: World, query: str, names: list[str]) -> None:
    world_on_both.site("anna.example", "anna")
    assert _names(world_on_both, query) == names


def test_an_international_name_is_found_in_either_form(world_on_both: World) -> None:
    world_on_both.site("xn--bcher-kva.example", "anna")
    for text in ("bücher", "Bücher.example", "xn--bcher"):
        found = world_on_both.call("anna", "GET", "/domains", params={"search": text}).json()["domains"]
        assert [each["domain"] for each in found] == ["xn--bcher-kva.example"]


def test_users_are_listed_by_who_manages_them(world_on_both: World) -> None:
    assert _names(world_on_both, f"user_id={world_on_both.uids['resi']}") == ["anna"]


def test_what_belongs_to_nobody_is_found_by_an_empty_owner(world_on_both: World) -> None:
    answer = world_on_both.call("admin", "GET", "/packages?user_id=").json()
    assert {each["name"] for each in answer["packages"]} == {"default", "basic"}
    assert world_on_both.call("admin", "GET", "/jobs?user_id=").json()["total"] == 0


LISTS = [row for row in TABLE if row.route.startswith("GET ") and row.route.endswith("/{id}")]
COMPOSED = {"output_log", "before", "after"}  # the lines of a log put together, and objects that may be null


@pytest.mark.parametrize("row", LISTS, ids=lambda row: row.route.removesuffix("/{id}"))
def test_every_scalar_field_of_every_list_is_a_filter_and_an_order(
    worlds: Worlds, stage: Stage, row: Row
) -> None:
    world = worlds.on(stage)
    path = (
        row.route.partition(" ")[2]
        .removesuffix("/{id}")
        .format(**arguments_of(world, row, "admin", "managed"))
    )
    page = world.call("admin", "GET", path).json()
    key = next(name for name, value in page.items() if isinstance(value, list))
    one = page[key][0]
    scalars = {name: v for name, v in one.items() if not isinstance(v, list | dict) and name not in COMPOSED}
    assert len(scalars) > 3
    for name, value in scalars.items():
        text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        answer = world.call("admin", "GET", path, params={"sort": name, name: text, "limit": 100})
        assert answer.status_code == 200, (name, answer.text)
        assert one["id"] in {each["id"] for each in answer.json()[key]}, name


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "colour"),
        ("sort=colour", "sort"),
        ("order=up", "order"),
        ("page=0", "page"),
        ("page=99999999999999999999", "page"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=1.5", "limit"),
        ("limit=", "limit"),
        ("page=1.0", "page"),
        ("page=-1", "page"),
        ("page=1000000000000000000", "page"),
        ("page=%D9%A1", "page"),
        ("sort=username;drop table documents", "sort"),
        ("sort=created_at%0d%0aX: y", "sort"),
        ("username'--=x", "username'--"),
        ("search=a%0d%0ab", "search"),
        ("search=%ED%A0%80%00", "search"),
        ("role=" + "x," * 100, "role"),
        ("disk_quota=many", "disk_quota"),
        ("is_active=perhaps", "is_active"),
        ("id=1", "id"),
        ("created_after=yesterday", "created_after"),
        ("search=%00", "search"),
        ("password=x", "password"),
        ("conditions=x", "conditions"),
    ],
)
def test_what_cannot_be_asked_for_is_named(world: World, query: str, field: str) -> None:
    answer = world.call("admin", "GET", f"/users?{query}")
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["details"]["errors"]] == [field]


PAGES = [each for each in ROUTES if any(one.name == "cursor" for one in each.docs.parameters)]


@pytest.mark.parametrize("route", PAGES, ids=lambda route: route.path)
def test_every_list_can_be_searched(worlds: Worlds, stage: Stage, route: Route) -> None:
    world = worlds.on(stage)
    row = next(row for row in TABLE if row.route == route.action)
    path = route.path.format(**(arguments_of(world, row, "admin", "managed") if row.of else {}))
    assert any(one.name == "search" for one in route.docs.parameters)
    assert world.call("admin", "GET", f"{path}?search=such-a-thing-is-nowhere").json()["total"] == 0


def test_jobs_are_searched_by_sort_host_and_state(world_on_both: World) -> None:
    with world_on_both.database.writing() as connection:
        add_job(connection, "sweep", target="web1")
        add_job(connection, "reconcile", owner="anna", target="web2")
    totals = {
        text: world_on_both.call("admin", "GET", f"/jobs?search={text}").json()["total"]
        for text in ("SWEEP", "web2", "web", "pending", "running")
    }
    assert totals == {"SWEEP": 1, "web2": 1, "web": 2, "pending": 2, "running": 0}


@pytest.mark.parametrize("path", ["/jobs", "/hosts", "/packages", "/domains", "/documents", "/plans"])
def test_every_list_says_how_much_there_is(world: World, path: str) -> None:
    answer = world.call("admin", "GET", path).json()
    assert set(answer) == {path.removeprefix("/"), "total", "page", "limit", "pages", "next"}
