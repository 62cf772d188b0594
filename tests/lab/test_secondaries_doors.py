"""What a dry run says of a zone is what happens, on its own host and on its secondary."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from inventories import lab
from inventories.lab import LabHost
from tests.lab.control import SOON, until
from tests.lab.doors import Doors, control_plane_processes

pytestmark = pytest.mark.lab
LAB = "test-secondaries-doors"
FILES = {f"config:named/zoe.test.{ending}" for ending in ("conf", "zone")} | {
    "config:named/private/zoe.test.key"
}
COPY = {"config:named/zoe.test.conf", "config:named/private/zoe.test.key"}


@pytest.fixture(scope="module")
def pair(lab_var: Path) -> Iterator[tuple[LabHost, LabHost]]:
    first, second = lab.up(LAB, 2, var=lab_var)[:2]
    yield first, second
    lab.down(LAB, var=lab_var)


@pytest.fixture(scope="module")
def doors(pair: tuple[LabHost, LabHost], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    first, second = pair
    known = yaml.safe_load(first.inventory.read_text())
    known["ghostcp_hosts"]["vars"] = {"ghostcp_dns_secondaries": [second.name]}
    folder = tmp_path_factory.mktemp("doors")
    (folder / "hosts.yml").write_text(yaml.safe_dump(known))
    settings = {"GHOSTCP_SWEEP_SECONDS": "3600", "GHOSTCP_INVENTORY": str(folder / "hosts.yml")}
    with control_plane_processes(first, folder, **settings) as running:
        yield running


def _planned(answer: Any) -> dict[str, set[tuple[str, str]]]:
    """What is to be done on each host, but for services."""
    return {
        part["target"]: {
            (each["action"], each["resource"])
            for each in part["changes"]
            if not each["resource"].startswith("service:")
        }
        for part in answer["report"]["targets"]
        if part["changes"]
    }


def _done(doors: Doors, known: set[str]) -> dict[str, set[tuple[str, str]]]:
    """What was done on each host since, but for services."""
    found: dict[str, set[tuple[str, str]]] = {}
    for job in doors.json("GET", "/jobs?limit=100")["jobs"]:
        if job["id"] in known or job["job_type"] != "reconcile" or job["status"] != "completed":
            continue
        results = {
            (each["action"], key) for key, each in job["results"].items() if not key.startswith("service:")
        }
        found.setdefault(job["parameters"]["target"], set()).update(results)
    return found


def _ids(doors: Doors) -> set[str]:
    return {job["id"] for job in doors.json("GET", "/jobs?limit=100")["jobs"]}


def _same(doors: Doors, known: set[str], planned: dict[str, set[tuple[str, str]]]) -> None:
    end = time.monotonic() + SOON
    while (done := _done(doors, known)) != planned and time.monotonic() < end:
        time.sleep(0.3)
    assert done == planned


def test_a_dry_run_foretells_what_is_done_on_both_hosts(doors: Doors, pair: tuple[LabHost, LabHost]) -> None:
    first, second = pair
    body = {
        "username": "zoe",
        "email": "zoe@example.com",
        "password": "securepassword123",
        "host": first.name,
    }
    user = doors.json("POST", "/users?wait=30", 201, **body)
    zone = {"domain": "zoe.test", "primary_ns": "ns1.example.net.", "user_id": user["id"]}
    foretold = _planned(doors.json("POST", "/dns?dry_run=true", **zone))
    copy = f"copy:zoe.test@{first.ipv4}"
    assert foretold == {
        first.name: {("create", key) for key in {*FILES, "served:zoe.test"}},
        second.name: {("create", key) for key in {*COPY, copy}},
    }
    known = _ids(doors)
    made = doors.json("POST", "/dns?wait=30", 201, **zone)
    _same(doors, known, foretold)
    path = f"/dns/{made['id']}"
    until("the zone says so", lambda: _copied(doors, path).get("status") is True)
    assert second.name in _copied(doors, path)["message"]

    record = {"name": "www", "record_type": "A", "value": "192.0.2.1"}
    foretold = _planned(doors.json("POST", f"{path}/records?dry_run=true", **record))
    assert foretold == {first.name: {("update", "config:named/zoe.test.zone")}}
    known = _ids(doors)
    doors.json("POST", f"{path}/records?wait=30", 201, **record)
    _same(doors, known, foretold)

    foretold = _planned(doors.json("DELETE", f"{path}?dry_run=true"))
    assert foretold == {
        first.name: {("delete", key) for key in FILES},
        second.name: {("delete", key) for key in {*COPY, copy}},
    }
    known = _ids(doors)
    doors.json("DELETE", path, 204)
    _same(doors, known, foretold)
    documents = doors.json("GET", "/documents?limit=100")["documents"]
    assert {each["kind"] for each in documents} == {"Package", "User"}
    hosts = doors.json("GET", "/hosts")["hosts"]
    assert {host["name"]: host["dns_secondaries"] for host in hosts} == {
        first.name: [second.name],
        second.name: [],
    }


def _copied(doors: Doors, path: str) -> Any:
    conditions = doors.json("GET", path)["conditions"]
    return next((each for each in conditions if each["type"] == "Copied"), {})
