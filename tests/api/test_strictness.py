"""What is sent is taken as it is written: no number for a text, no text for a truth, no null for a body."""

from typing import Any

import pytest

from tests.api.conftest import World


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ip_address", 5),
        ("ipv6_address", 1),
        ("ssl_enabled", "true"),
        ("ssl_force", 1),
        ("ssl_hsts", None),
        ("aliases", "www.anna.example"),
        ("aliases", [7]),
        ("web_template", 1),
    ],
)
def test_another_type_is_refused(world: World, field: str, value: Any) -> None:
    answer = world.call("anna", "POST", "/domains", json={"domain": "anna.example", field: value})
    assert answer.status_code == 422
    assert {each["field"].split(".")[0] for each in answer.json()["details"]["errors"]} == {field}


@pytest.mark.parametrize("value", ["5", True, 1.5])
def test_a_limit_is_a_whole_number(world: World, value: Any) -> None:
    answer = world.call("admin", "PUT", f"/users/{world.uids['anna']}", json={"disk_quota": value})
    assert answer.status_code == 422


@pytest.mark.parametrize("field", ["web_template", "document_root"])
def test_null_stands_for_what_is_derived(world: World, field: str) -> None:
    answer = world.call("anna", "POST", "/domains", json={"domain": "anna.example", field: None})
    assert answer.status_code == 201
    assert answer.json()[field]


def test_a_plan_of_null_is_no_plan_of_everything(world: World) -> None:
    headers = {"Content-Type": "application/json"}
    assert world.call("admin", "POST", "/plans", content=b"null", headers=headers).status_code == 422


def test_a_wrong_key_is_refused_in_a_dry_run_too(world: World) -> None:
    body, headers = {"domain": "anna.example"}, {"Idempotency-Key": "a key"}
    answer = world.call("anna", "POST", "/domains?dry_run=true", json=body, headers=headers)
    assert [each["field"] for each in answer.json()["details"]["errors"]] == ["Idempotency-Key"]


@pytest.mark.parametrize(
    ("wait", "status"), [("1e-3", 201), ("0.0000001", 201), ("1e9", 422), ("NaN", 422), ("1_0", 422)]
)
def test_a_wait_is_a_number_of_json(world: World, wait: str, status: int) -> None:
    answer = world.call("anna", "POST", f"/domains?wait={wait}", json={"domain": "anna.example"})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("text", "status"), [("\U000f0001", 200), ("\u00a0", 200), ("\x85", 422), ("\n", 422)]
)
def test_a_filter_takes_every_text_without_control_characters(world: World, text: str, status: int) -> None:
    assert world.call("admin", "GET", "/users", params={"full_name": text}).status_code == status
