"""Zones, sites and certificates from one `ghostcp apply`, with a real authority that asks the host's name server."""

from pathlib import Path

import pytest

from inventories import lab
from tests.lab.control import until
from tests.lab.doors import Doors, control_plane_processes
from tests.lab.pebble import pebble
from tests.lab.tls import curl

pytestmark = pytest.mark.lab
LONG = 150.0
FILES = """\
apiVersion: ghostcp/v1
kind: WebDomain
metadata: {name: once.test, owner: otto}
spec:
  aliases: ["*.once.test"]
  letsencrypt_enabled: true
  letsencrypt_wildcard: true
  ssl_enabled: true
  ssl_force: true
---
apiVersion: ghostcp/v1
kind: WebDomain
metadata: {name: plain.once.test, owner: otto}
spec: {letsencrypt_enabled: true, ssl_enabled: true, ssl_force: true, ssl_hsts: true}
---
apiVersion: ghostcp/v1
kind: Certificate
metadata: {name: mail.once.test, owner: otto}
spec: {acme_provider: pebble, acme_challenge_type: dns01}
---
apiVersion: ghostcp/v1
kind: DnsZone
metadata: {name: once.test, owner: otto}
spec:
  records:
    - {name: plain, record_type: A, value: ADDRESS}
---
apiVersion: ghostcp/v1
kind: User
metadata: {name: otto}
spec: {email: otto@example.com}
"""


def test_one_apply_is_enough_for_zone_site_and_certificates(lab_host: lab.LabHost, tmp_path: Path) -> None:
    folder = tmp_path / "company"
    folder.mkdir()
    (folder / "all.yaml").write_text(FILES.replace("ADDRESS", lab_host.ipv4))
    with (
        pebble(lab_host.ipv4, tmp_path, names=f"{lab_host.ipv4}:53") as authority,
        control_plane_processes(lab_host, tmp_path, GHOSTCP_AUTHORITIES=str(authority.authorities)) as doors,
    ):
        done = doors.cli("apply", "-f", str(folder))
        assert done.returncode == 0, done.stdout + done.stderr
        assert _issued(doors) == ["completed"] * 3, "what comes with sites was waited for too"
        trusted = ("--cacert", str(authority.root()))
        for name in ("once.test", "any.once.test", "plain.once.test"):
            until(
                f"{name} is secured", lambda n=name: curl(lab_host, f"https://{n}/", *trusted)[0] == 200, LONG
            )
            until(f"{name} is forced", lambda n=name: curl(lab_host, f"http://{n}/")[0] == 301)
        again = doors.cli("plan", "-f", str(folder))
        assert again.returncode == 0, again.stdout + again.stderr
        records = doors.json("GET", "/dns?search=once.test")["zones"][0]
        assert "_acme-challenge" not in str(doors.json("GET", f"/dns/{records['id']}/records"))
        user = doors.json("GET", "/users?search=otto")["users"][0]
        doors.json("DELETE", f"/users/{user['id']}?wait=60", 204)


def _issued(doors: Doors) -> list[str]:
    return [job["status"] for job in doors.json("GET", "/jobs?job_type=ssl_issue")["jobs"]]
