"""What would keep a zone from being loaded is refused where it is written, with its field."""

from typing import Any

import httpx
import pytest

from tests.api.conftest import World


def fields(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [each["field"] for each in answer.json()["details"]["errors"]]


def test_whom_to_write_to_is_no_longer_than_a_name_can_be(world: World) -> None:
    for length, status in ((253, 201), (254, 422)):
        domain = ".".join(("b" * 60, "c" * 60, "d" * 60, "e" * (length - 251), "fff"))
        address = f"{'a' * 63}@{domain}"
        assert len(address) == length
        made = world.call(
            "anna", "POST", "/dns", json={"domain": f"{length}.example", "admin_email": address}
        )
        assert made.status_code == status, made.text
    assert fields(made) == ["admin_email"]


RECORDS = (
    ("NAPTR", '1 1 "u" "s" "!a||b!c!" .'),
    ("HTTPS", '1 . key7=""'),
    ("TLSA", r"\# 3 000000"),
    ("HTTPS", f"1 . ipv6hint={','.join(['::1'] * 14_000)}"),
)


@pytest.mark.parametrize(("record_type", "value"), RECORDS, ids=range(len(RECORDS)))
def test_a_record_that_keeps_its_zone_from_being_loaded_is_refused(
    world_on_both: World, record_type: str, value: str
) -> None:
    world, zone = world_on_both, world_on_both.zone("example.com", "anna")
    told = {"name": "www", "record_type": record_type, "value": value}
    assert fields(world.call("anna", "POST", f"/dns/{zone.uid}/records", json=told)) == ["value"]
    brought = {"domain": "brought.example", "zone_file": f"www {record_type} {value}\n", "mode": "replace"}
    answer = world.call("anna", "POST", "/dns/import", json=brought)
    assert answer.status_code == 422, answer.text
    document = {"kind": "DnsRecord", "metadata": {"name": "x.example.com", "owner": "anna"}, "spec": told}
    answer = world.call("anna", "POST", "/plans", json={"documents": [document]})
    assert fields(answer) == ["documents.0.spec.value"]


def _records(world: World) -> tuple[World, str]:
    """Where the records of a zone are."""
    return world, f"/dns/{world.zone('example.com', 'anna').uid}/records"


def call(world: World, method: str, path: str, **body: Any) -> httpx.Response:
    return world.call("anna", method, path, json=body)


def test_a_value_with_a_remark_is_refused_as_it_would_be_lost(world_on_both: World) -> None:
    world, base = _records(world_on_both)
    for kind, value in (("TXT", '"a" ; "b"'), ("A", "192.0.2.1 ; mine"), ("CAA", "0 issue ca.example;x=1")):
        refused = call(world, "POST", base, record_type=kind, value=value)
        assert fields(refused) == ["value"]
        assert "remark" in refused.json()["details"]["errors"][0]["message"]
    assert call(world, "POST", base, record_type="TXT", value="a ; b").status_code == 201


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_priority_belongs_to_its_type(world_on_both: World, method: str) -> None:
    world, base = _records(world_on_both)
    path = f"{base}/{call(world, 'POST', base, name='x', record_type='TXT', value='mail').json()['id']}"
    assert fields(call(world, method, path, record_type="MX")) == ["priority"]
    assert call(world, method, path, record_type="mx", priority=7).json()["priority"] == 7
    same = call(world, method, path, record_type="SRV", value="1 25 mail").json()
    assert (same["record_type"], same["priority"]) == ("SRV", 7)
    back = call(world, method, path, record_type="TXT")
    assert (back.status_code, back.json()["priority"]) == (200, 0)
    assert call(world, method, path, record_type="TXT", priority=7).status_code == 422
