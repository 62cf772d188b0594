"""Zones at a real PowerDNS beside sites on a real host: through the doors, by a whole control plane."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inventories import lab
from state import store
from state.kinds import KINDS
from state.zones.providers import set_up
from tests.lab.control import control_plane, until
from tests.lab.doors import Doors, control_plane_processes
from tests.lab.pebble import pebble
from tests.reconciler.providers.conftest import POWERDNS
from tests.reconciler.providers.powerdns import KEY, PowerDns, powerdns

pytestmark = pytest.mark.lab
TITLE = "_acme-challenge"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PowerDns]:
    with powerdns(tmp_path_factory.mktemp("powerdns") / "server") as running:
        yield running


@pytest.fixture(scope="module")
def doors(own_lab_host: lab.LabHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    with control_plane_processes(own_lab_host, tmp_path_factory.mktemp("doors")) as running:
        yield running


def _set_up(doors: Doors, server: PowerDns, folder: Path) -> None:
    options = folder / "options.yaml"
    options.write_text(json.dumps(server.options))
    ended = doors.cli("providers", "set", "powerdns", str(options))
    assert ended.returncode == 0, ended.stderr


def _condition(shown: Any, type_: str = "Ready") -> Any:
    return next(each for each in shown["conditions"] if each["type"] == type_)


def _resources(part: Any) -> list[tuple[str, str]]:
    return [(each["action"], each["resource"]) for each in part["changes"]]


def test_a_zone_waits_for_its_provider_and_is_then_served_there_as_foretold(
    doors: Doors, server: PowerDns, tmp_path: Path
) -> None:
    user = {"username": "ida", "email": "ida@example.com", "password": "correct horse ida"}
    ida = doors.json("POST", "/users?wait=60", 201, **user)
    body = {
        "domain": "ida.test",
        "dns_provider": "powerdns",
        "primary_ns": "ns1.example.net",
        "user_id": ida["id"],
    }
    waiting = doors.json("POST", "/dns?wait=30", 201, **body)
    assert _condition(waiting, "Blocked")["reason"] == "ProviderMissing"
    _set_up(doors, server, tmp_path)
    zone = f"/dns/{waiting['id']}"
    until("the zone is served", lambda: server.ask("www.ida.test", "A") == [f"3600 {doors.host.ipv4}"])
    until("it is told", lambda: doors.json("GET", zone)["provider_zone_id"] == "ida.test.")
    record = {"name": "mail", "record_type": "A", "value": "192.0.2.25", "ttl": 300}
    foretold = doors.json("POST", f"{zone}/records?dry_run=true", **record)
    (part,) = (each for each in foretold["report"]["targets"] if each["target"] == "provider:powerdns")
    assert _resources(part) == [("create", "rrset:ida.test/mail/A")]
    assert server.ask("mail.ida.test", "A") == []
    made = doors.json("POST", f"{zone}/records?wait=30", 201, **record)
    assert _condition(made)["status"]
    assert server.ask("mail.ida.test", "A") == ["300 192.0.2.25"]
    jobs = doors.json("GET", "/jobs?job_type=dns_sync&sort=created_at")["jobs"]
    assert {job["status"] for job in jobs} == {"completed"}
    assert "rrset:ida.test/mail/A" in {key for job in jobs for key in job["results"]}
    server.put("ida.test", "mail.ida.test.", "A", ["203.0.113.66"])
    asked = doors.json("POST", "/jobs", 201, job_type="dns_sync", parameters={"zone": "ida.test"})
    until("the job ended", lambda: doors.json("GET", f"/jobs/{asked['id']}")["status"] == "completed")
    assert server.ask("mail.ida.test", "A") == ["300 192.0.2.25"]
    assert "provider:powerdns" in doors.cli("hosts").stdout


def test_a_provider_that_is_down_holds_up_no_site(doors: Doors, server: PowerDns, tmp_path: Path) -> None:
    _set_up(doors, server, tmp_path)
    user = {"username": "ulf", "email": "ulf@example.com", "password": "correct horse ulf"}
    ulf = doors.json("POST", "/users?wait=60", 201, **user)
    server.stop()
    body = {
        "domain": "ulf.test",
        "dns_provider": "powerdns",
        "primary_ns": "ns1.example.net",
        "user_id": ulf["id"],
    }
    zone = doors.json("POST", "/dns", 201, **body)
    site = doors.json("POST", "/domains?wait=30", 201, domain="www.ulf.test", user_id=ulf["id"])
    assert _condition(site)["status"], site["conditions"]
    assert doors.fetch("www.ulf.test")[0] == 200
    until(
        "it is told",
        lambda: _reasons(doors.json("GET", f"/dns/{zone['id']}")) & {"Unreachable", "ApplyFailed"},
    )
    server.start()
    until("the zone is served", lambda: server.ask("www.ulf.test", "A") == [f"3600 {doors.host.ipv4}"], 90.0)
    assert KEY not in str([doors.json("GET", path) for path in ("/jobs", "/hosts", "/audit")])


def _reasons(shown: Any) -> set[str]:
    return {each["reason"] for each in shown["conditions"]}


def test_a_wildcard_is_had_by_dns01_through_the_provider(
    lab_host: lab.LabHost, server: PowerDns, tmp_path: Path
) -> None:
    folder = tmp_path / "plane"
    folder.mkdir()
    with (
        pebble(lab_host.ipv4, folder, names=f"127.0.0.1:{server.ports[0]}") as authority,
        control_plane(lab_host, folder, authorities=authority.authorities) as control,
    ):
        with control.database.writing() as connection:
            set_up(connection, folder, "powerdns", POWERDNS, server.options)
        eva = control.tenant("eva")
        values = {"dns_provider": "powerdns", "primary_ns": "ns1.example.net"}
        with control._writing(lambda: zone.target) as connection:
            zone = store.create(connection, KINDS["DnsZone"], "eva.test", "eva", values, actor="test")
        wishes = {"acme_provider": "pebble", "acme_challenge_type": "dns01", "is_wildcard": True}
        certificate = control.create("Certificate", "eva.test", "eva", **wishes)
        control.ready(eva, zone, certificate, seconds=150.0)
        assert set(control.kept(certificate)["names"]) == {"eva.test", "*.eva.test"}
        until("no answer is left", lambda: server.ask(f"{TITLE}.eva.test", "TXT") == [])
        control.remove(eva)
        control.gone(eva)
        until("nothing is left", lambda: server.ask("www.eva.test", "A") == [])
