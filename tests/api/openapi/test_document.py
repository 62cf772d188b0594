"""The OpenAPI document: valid as 3.0, about every door and nothing else, and complete."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import OpenAPIV30SpecValidator

from api.app import create_app, document, served
from api.door import Route
from tests.api.conftest import BASE, World

DOORS = [pytest.param(path, route, id=f"{route.method} {path}") for path, route in served()]


def _operation(path: str, route: Route) -> dict[str, Any]:
    found: dict[str, Any] = document()["paths"][path][route.method.lower()]
    return found


def test_it_is_valid_openapi_3_0(world: World) -> None:
    found = world.http.get(f"{BASE}/openapi.json").json()
    assert found["openapi"] == "3.0.3"
    assert [str(error) for error in OpenAPIV30SpecValidator(found).iter_errors()] == []


def test_it_describes_the_doors_there_are_and_no_others(world: World) -> None:
    app = create_app(world.database, world.settings)
    real = {
        (m, each.path_format)
        for each in app.routes
        if isinstance(each, APIRoute)
        for m in each.methods - {"HEAD"}
    }
    told = {(m.upper(), path) for path, methods in document()["paths"].items() for m in methods}
    assert told == real
    assert len(app.routes) == len(real)


def test_it_is_not_sent_again_to_who_has_it(world: World) -> None:
    first = world.http.get(f"{BASE}/openapi.json")
    again = world.http.get(f"{BASE}/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]


@pytest.mark.parametrize(("path", "route"), DOORS)
def test_every_door_says_what_it_is(path: str, route: Route) -> None:
    found = _operation(path, route)
    assert found["summary"] == route.summary
    assert found["description"]
    assert ({"bearer": []} in found["security"]) == (route.rule.access.value != "public")
    assert ({} in found["security"]) == route.rule.nearby
    for parameter in found["parameters"]:
        assert parameter["description"]
        assert parameter["schema"]


@pytest.mark.parametrize(("path", "route"), DOORS)
def test_every_door_says_what_it_answers(path: str, route: Route) -> None:
    answers = _operation(path, route)["responses"]
    done = {status: answer for status, answer in answers.items() if status.startswith("2")}
    assert done
    assert all("content" in answer for status, answer in done.items() if status != "204")
    assert ("304" in answers) == (route.method == "GET" and "ETag" in done["200"]["headers"])
    assert {"429", "500", "503"} <= set(answers)
    assert ({"401", "403"} <= set(answers)) == (route.rule.access.value != "public") or "401" in answers
    assert ("404" in answers) == ("{" in path or 404 in route.docs.errors)


@pytest.mark.parametrize(("path", "route"), DOORS)
def test_every_parameter_of_a_path_is_described(path: str, route: Route) -> None:
    told = {each["name"] for each in _operation(path, route)["parameters"] if each["in"] == "path"}
    assert told == {part[1:-1] for part in path.split("/") if part.startswith("{")}


def test_every_error_shows_how_it_looks() -> None:
    for name, answer in document()["components"]["responses"].items():
        content = answer["content"]["application/json"]
        assert content["example"]["status"] >= 400, name
        assert content["example"]["details"]["code"]


def test_every_tag_is_described() -> None:
    used = {
        tag for methods in document()["paths"].values() for each in methods.values() for tag in each["tags"]
    }
    assert used == {tag["name"] for tag in document()["tags"]}
    assert all(tag["description"] for tag in document()["tags"])


def test_what_is_created_leads_to_itself() -> None:
    links = document()["paths"][f"{BASE}/domains"]["post"]["responses"]["201"]["links"]
    assert set(links) == {"getDomain", "updateDomain", "patchDomain", "deleteDomain"}


def test_what_lies_outside_of_the_base_is_public_but_for_metrics() -> None:
    closed = {path for path, route in served() if route.rule.access.value != "public"}
    assert {path for path in closed if not path.startswith(BASE)} == {"/metrics"}


def _examples(path: str, route: Route) -> Iterator[tuple[dict[str, Any], Any]]:
    """The examples of what is sent and answered, each with its schema."""
    found = _operation(path, route)
    for place in (found.get("requestBody", {}), *found["responses"].values()):
        for media, each in place.get("content", {}).items():
            several = [one["value"] for one in each.get("examples", {}).values()]
            for example in [*several, *([each["example"]] if "example" in each else [])]:
                if media.endswith("json"):
                    yield each["schema"], example


@pytest.mark.parametrize(("path", "route"), DOORS)
def test_every_example_is_as_its_schema_says(path: str, route: Route) -> None:
    for schema, example in _examples(path, route):
        whole = {**schema, "components": document()["components"]}
        assert [error.message for error in OAS30Validator(whole).iter_errors(example)] == [], example


@pytest.mark.parametrize("key", ["users", "domains", "packages", "jobs", "webhooks", "tokens"])
def test_objects_and_their_lists_have_examples(key: str) -> None:
    paths = document()["paths"]
    content = paths[f"{BASE}/{key}"]["get"]["responses"]["200"]["content"]["application/json"]
    assert content["example"][key]
    one = paths[f"{BASE}/{key}/{{id}}"]
    assert (
        one["get"]["responses"]["200"]["content"]["application/json"]["example"] == content["example"][key][0]
    )
    assert one["put"]["requestBody"]["content"]["application/json"]["examples"]
    assert one["patch"]["responses"]["200"]["content"]["application/json"]["example"]


@pytest.mark.parametrize(
    "door", ["post /documents", "put /documents/{kind}/{name}", "patch /documents/{kind}/{name}"]
)
def test_documents_have_an_example_for_each_kind_that_has_one(door: str) -> None:
    method, path = door.split()
    content = document()["paths"][f"{BASE}{path}"][method]["requestBody"]["content"]
    for each in content.values():
        assert {"User", "WebDomain", "Package"} <= set(each["examples"])
