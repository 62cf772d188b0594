"""Asking for zones to be looked at now: `dns_sync`."""

from typing import Any

import pytest

from state.zones.providers import set_up
from tests.api.conftest import World

PACKAGE = "octodns_powerdns.PowerDnsProvider"


@pytest.fixture
def zones(world: World) -> World:
    """Anna has a zone at a provider and one at home, Bert one of his own."""
    with world.database.writing() as connection:
        set_up(connection, world.settings.var, "there", PACKAGE, {"host": "192.0.2.53", "api_key": "x"})
    world.zone("away.example.com", "anna", dns_provider="there")
    world.zone("home.example.com", "anna")
    world.zone("berts.example.com", "bert")
    return world


def _ask(world: World, who: str, **parameters: Any) -> Any:
    return world.call(who, "POST", "/jobs", json={"job_type": "dns_sync", "parameters": parameters})


@pytest.mark.parametrize(
    ("zone", "host"), [("away.example.com", "provider:there"), ("home.example.com", "web1")]
)
def test_a_zone_is_looked_at_wherever_it_is_served(zones: World, zone: str, host: str) -> None:
    for who in ("anna", "admin"):
        answer = _ask(zones, who, zone=zone)
        made = answer.json()
        assert answer.status_code == 201, answer.text
        assert (made["host"], made["user_id"]) == (host, zones.uids["anna"])
        assert made["parameters"] == {"zone": zone}
    listed = zones.call("anna", "GET", "/jobs?job_type=dns_sync").json()
    assert listed["total"] == 2


def test_an_administrator_has_all_of_a_provider_looked_at(zones: World) -> None:
    made = _ask(zones, "admin", provider="there").json()
    assert (made["host"], made["user_id"]) == ("provider:there", None)
    assert _ask(zones, "anna", provider="there").status_code == 403


@pytest.mark.parametrize(
    ("who", "parameters", "field"),
    [
        ("anna", {"zone": "berts.example.com"}, "parameters.zone"),
        ("anna", {"zone": "nowhere.example.com"}, "parameters.zone"),
        ("anna", {}, "parameters"),
        ("admin", {"zone": "home.example.com", "provider": "there"}, "parameters"),
        ("admin", {"provider": "elsewhere"}, "parameters.provider"),
    ],
)
def test_what_there_is_not_is_refused(zones: World, who: str, parameters: Any, field: str) -> None:
    answer = _ask(zones, who, **parameters)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["details"]["errors"]] == [field]


def test_a_user_and_a_provider_are_not_said_together(zones: World) -> None:
    body = {"job_type": "dns_sync", "user_id": zones.uids["anna"]}
    both = {**body, "parameters": {"provider": "there"}}
    assert zones.call("admin", "POST", "/jobs", json=both).status_code == 422
    theirs = {**body, "parameters": {"zone": "berts.example.com"}}
    assert zones.call("admin", "POST", "/jobs", json=theirs).status_code == 422


def test_what_a_provider_calls_a_zone_is_told_and_nobodys_to_write(zones: World) -> None:
    (zone,) = zones.call("anna", "GET", "/dns?dns_provider=there").json()["zones"]
    assert (zone["provider_zone_id"], zone["host"]) == (None, "provider:there")
    answer = zones.call("anna", "PATCH", f"/dns/{zone['id']}", json={"provider_zone_id": "x"})
    assert answer.status_code in {415, 422}
    put = zones.call("anna", "PUT", f"/dns/{zone['id']}", json={"dns_provider": "local"})
    assert put.status_code == 422


def test_providers_are_among_what_is_managed_and_show_no_options(zones: World) -> None:
    hosts = {each["name"]: each for each in zones.call("admin", "GET", "/hosts").json()["hosts"]}
    assert hosts["provider:there"]["address"] == PACKAGE
    assert "192.0.2.53" not in str(hosts["provider:there"])
