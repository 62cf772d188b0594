"""What users do, through the REST API and the command line, on a real host."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inventories import lab
from tests.lab.control import until
from tests.lab.doors import Doors, changes, control_plane_processes, report_of
from tests.state.vouching import vouch

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def doors(own_lab_host: lab.LabHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    templates = tmp_path_factory.mktemp("templates")
    (templates / "nginx/web").mkdir(parents=True)
    text = "server { listen 80; server_name {{ domain }}; no_such_directive on; }\n"
    (templates / "nginx/web/broken.conf.j2").write_text(text)
    settings = {"GHOSTCP_SWEEP_SECONDS": "3600", "GHOSTCP_TEMPLATES": str(templates)}
    with control_plane_processes(own_lab_host, tmp_path_factory.mktemp("doors"), **settings) as running:
        yield running


def _user(name: str, **more: Any) -> dict[str, Any]:
    body = {
        "username": name,
        "email": f"{name}@example.com",
        "password": "securepassword123",
        "full_name": "New User",
        "package_name": "default",
        "role": "user",
        "disk_quota": 2048,
        "bandwidth_quota": 20480,
        "web_domains_limit": 10,
        "dns_domains_limit": 10,
        "mail_domains_limit": 5,
        "databases_limit": 10,
        "cron_jobs_limit": 20,
        "shell": "/bin/bash",
        "language": "en",
        "timezone": "UTC",
    }
    return body | more


def _jobs_since(doors: Doors, known: set[str]) -> list[Any]:
    jobs = doors.json("GET", "/jobs?limit=100&sort=created_at")["jobs"]
    return [job for job in jobs if job["id"] not in known and job["job_type"] == "reconcile"]


def _job_ids(doors: Doors) -> set[str]:
    return {job["id"] for job in doors.json("GET", "/jobs?limit=100")["jobs"]}


def test_posted_user_and_domain_are_served_and_the_run_is_shown_as_a_job(doors: Doors) -> None:
    user = doors.json("POST", "/users?wait=30", 201, **_user("newuser"))
    body = {
        "domain": "newsite.com",
        "user_id": user["id"],
        "ip_address": doors.host.ipv4,
        "web_template": "default",
        "backend_template": "PHP-8.4",
        "aliases": ["www.newsite.com"],
        "ssl_enabled": True,
        "letsencrypt_enabled": True,
    }
    site = doors.json("POST", "/domains?wait=30", 201, **body)
    assert [c["status"] for c in site["conditions"] if c["type"] == "Ready"] == [True]
    assert doors.fetch("www.newsite.com")[0] == 200
    page = "/home/newuser/web/newsite.com/public_html/i.php"
    doors.run(f"echo '<?php echo get_current_user(), posix_geteuid();' > {page}")
    uid = doors.run("id -u newuser").strip()
    assert doors.fetch("newsite.com", "/i.php")[1].endswith(uid)
    job = next(j for j in _jobs_since(doors, set()) if "config:nginx/newsite.com.conf" in str(j))
    assert (job["status"], job["user_id"]) == ("completed", user["id"])
    assert "applied and proved" in job["output_log"]


def test_the_specifications_bodies_are_accepted_and_blocked_with_what_the_host_has(doors: Doors) -> None:
    body = {
        "domain": "literal.com",
        "ip_address": "192.168.1.100",
        "web_template": "default",
        "backend_template": "PHP-8.3",
        "aliases": ["www.literal.com"],
        "ssl_enabled": True,
        "letsencrypt_enabled": True,
    }
    user = doors.json("POST", "/users", 201, **_user("literal", package_name="basic"))
    site = doors.json("POST", "/domains?wait=30", 201, **body, user_id=user["id"])
    blocked = next(c for c in site["conditions"] if c["type"] == "Blocked")
    assert blocked["status"]
    assert "8.4" in blocked["message"]
    assert doors.host.ipv4 in blocked["message"]


def test_a_dry_run_shows_exactly_what_the_write_then_does(doors: Doors) -> None:
    user = doors.json("POST", "/users?wait=30", 201, **_user("exact"))
    body = {"domain": "exact.test", "user_id": user["id"], "backend_template": "PHP-8.4"}
    plan = doors.json("POST", "/domains?dry_run=true", 200, **body)
    shown = changes(plan.get("report", plan))
    assert doors.fetch("exact.test")[0] != 200
    known = _job_ids(doors)
    site = doors.json("POST", "/domains?wait=30", 201, **body)
    done = {(r["action"], k, r["cause"]) for j in _jobs_since(doors, known) for k, r in j["results"].items()}
    assert shown == done
    known = _job_ids(doors)
    plan = doors.json("PUT", f"/domains/{site['id']}?dry_run=true", 200, aliases=["www.exact.test"])
    shown = changes(plan.get("report", plan))
    doors.json("PUT", f"/domains/{site['id']}?wait=30", 200, aliases=["www.exact.test"])
    done = {(r["action"], k, r["cause"]) for j in _jobs_since(doors, known) for k, r in j["results"].items()}
    assert shown == done == {("update", "config:nginx/exact.test.conf", "intended")}


def test_a_dry_run_of_a_certificate_that_is_given_shows_what_giving_it_then_does(doors: Doors) -> None:
    user = doors.json("POST", "/users?wait=30", 201, **_user("giver"))
    wishes = {"ssl_enabled": True, "ssl_force": True}
    site = doors.json("POST", "/domains?wait=30", 201, domain="giver.test", user_id=user["id"], **wishes)
    mine = vouch("giver.test")
    body = {
        "domain": "giver.test",
        "user_id": user["id"],
        "certificate": mine.chain,
        "private_key": mine.key,
    }
    plan = doors.json("POST", "/ssl?dry_run=true", 200, **body)
    report = plan.get("report", plan)
    assert [part["blocked"] for part in report["targets"]] == [[]]
    known = _job_ids(doors)
    made = doors.json("POST", "/ssl?wait=60", 201, **body)
    doors.json("GET", f"/domains/{site['id']}")
    done = {(r["action"], k, r["cause"]) for j in _jobs_since(doors, known) for k, r in j["results"].items()}
    assert changes(report) == done
    assert {key for _, key, _ in done} >= {
        "config:nginx/tls/giver.test.crt",
        "config:nginx/private/giver.test.key",
        "config:nginx/giver.test.conf",
    }
    secured = [c for c in made["conditions"] if c["type"] == "Secured"]
    assert [c["status"] for c in secured] == [True]


def _given(doors: Doors, name: str, owner: Any) -> Any:
    """A certificate of the owner's own, which is on the host."""
    mine = vouch(name)
    body = {"domain": name, "user_id": owner["id"], "certificate": mine.chain, "private_key": mine.key}
    return doors.json("POST", "/ssl?wait=60", 201, **body)


def _files(name: str) -> set[tuple[str, str, str]]:
    keys = (f"config:nginx/tls/{name}.crt", f"config:nginx/private/{name}.key")
    return {("delete", key, "intended") for key in keys}


def _becomes_so(doors: Doors, report: Any, known: set[str]) -> None:
    def done() -> bool:
        results = [pair for job in _jobs_since(doors, known) for pair in job["results"].items()]
        return {(result["action"], key, result["cause"]) for key, result in results} == changes(report)

    until("just what was foretold is done", done)


def test_a_dry_run_shows_whose_certificate_goes_with_its_name(doors: Doors) -> None:
    ann, ben = (doors.json("POST", "/users?wait=30", 201, **_user(name)) for name in ("loser", "taker"))
    _given(doors, "taken.test", ann)
    body = {"domain": "taken.test", "user_id": ben["id"], "ssl_enabled": True}
    report = doors.json("POST", "/domains?dry_run=true", 200, **body)["report"]
    assert changes(report) > _files("taken.test")
    known = _job_ids(doors)
    doors.json("POST", "/domains?wait=30", 201, **body)
    _becomes_so(doors, report, known)


def test_a_dry_run_shows_that_a_site_has_a_certificate_again_that_is_still_to_be_had(doors: Doors) -> None:
    owner = doors.json("POST", "/users?wait=30", 201, **_user("again"))
    own = _given(doors, "again.test", owner)
    wishes = {"ssl_enabled": True, "letsencrypt_enabled": True}
    doors.json("POST", "/domains?wait=30", 201, domain="again.test", user_id=owner["id"], **wishes)
    report = doors.json("DELETE", f"/ssl/{own['id']}?dry_run=true", 200)["report"]
    assert [each["action"] for each in report["documents"]] == ["delete", "create"]
    assert changes(report) > _files("again.test")
    known = _job_ids(doors)
    doors.json("DELETE", f"/ssl/{own['id']}", 204)
    _becomes_so(doors, report, known)


FILES = """\
apiVersion: ghostcp/v1
kind: User
metadata: {name: filer}
spec: {email: filer@example.com}
---
apiVersion: ghostcp/v1
kind: WebDomain
metadata: {name: filed.test, owner: filer}
spec: {aliases: [www.filed.test]}
"""


def test_a_folder_is_planned_applied_exported_and_found_unchanged(doors: Doors, tmp_path: Path) -> None:
    folder = tmp_path / "company"
    folder.mkdir()
    (folder / "all.yml").write_text(FILES)
    planned = doors.cli("plan", "-f", str(folder), "--format", "json")
    assert planned.returncode == 2, planned.stderr
    known = _job_ids(doors)
    applied = doors.cli("apply", "-f", str(folder))
    assert applied.returncode == 0, applied.stdout + applied.stderr
    done = {(r["action"], k, r["cause"]) for j in _jobs_since(doors, known) for k, r in j["results"].items()}
    assert done == changes(report_of(planned))
    assert doors.fetch("www.filed.test")[0] == 200
    assert doors.cli("plan", "-f", str(folder)).returncode == 0
    out = tmp_path / "out"
    assert doors.cli("export", str(out)).returncode == 0
    assert doors.cli("validate", str(out)).returncode == 0
    again = doors.cli("plan", "-f", str(out), "--prune", "--format", "markdown")
    assert again.returncode == 0, again.stdout + again.stderr


def test_a_source_that_is_empty_broken_or_much_smaller_deletes_nothing(doors: Doors, tmp_path: Path) -> None:
    whole, empty, broken = tmp_path / "whole", tmp_path / "empty", tmp_path / "broken"
    for folder in (whole, empty, broken):
        folder.mkdir()
    many = "".join(FILES.split("---")[1].replace("filed.test", f"s{i}.test") + "---\n" for i in range(8))
    user = "apiVersion: ghostcp/v1\nkind: User\nmetadata: {name: filer}\n"
    user += "spec: {email: filer@example.com, web_domains_limit: 0}\n---\n"
    (whole / "all.yml").write_text(user + many.rstrip("-\n") + "\n")
    done = doors.cli("apply", "-f", str(whole))
    assert done.returncode == 0, done.stdout + done.stderr
    assert doors.cli("plan", "-f", str(empty), "--prune").returncode == 1
    (broken / "half.yml").write_text(FILES[: len(FILES) // 2])
    assert doors.cli("plan", "-f", str(broken), "--prune").returncode == 1
    (broken / "half.yml").write_text(FILES)
    blocked = doors.cli("apply", "-f", str(broken), "--prune")
    assert blocked.returncode == 3, blocked.stdout + blocked.stderr
    assert doors.fetch("s7.test")[0] == 200
    total = doors.json("GET", "/domains?search=test")["total"]
    assert total >= 8


def test_drift_by_hand_is_shown_by_diff_and_undone_by_a_pass(doors: Doors) -> None:
    user = doors.json("POST", "/users?wait=30", 201, **_user("drifter"))
    site = doors.json("POST", "/domains?wait=30", 201, domain="drift.test", user_id=user["id"])
    path = "/etc/ghostcp/live/nginx/drift.test.conf"
    before = doors.run(f"cat {path}")
    doors.run(f"echo '# mine' >> {path}")
    shown = doors.cli("diff")
    assert shown.returncode == 2, shown.stdout + shown.stderr
    assert "-# mine" in shown.stdout
    doors.json("PUT", f"/domains/{site['id']}?wait=30", 200, aliases=["www.drift.test"])
    until("the edit is undone", lambda: "# mine" not in doors.run(f"cat {path}"))
    assert before.replace("drift.test", "x") != ""


def test_a_dry_run_knows_what_the_web_server_will_refuse(doors: Doors) -> None:
    user = doors.json("POST", "/users?wait=30", 201, **_user("bold"))
    site = doors.json("POST", "/domains?wait=30", 201, domain="bold.test", user_id=user["id"])
    plan = doors.json("PUT", f"/domains/{site['id']}?dry_run=true", 200, web_template="broken")
    report = plan.get("report", plan)
    assert changes(report) == set()
    reasons = [(item["document"], item["reason"]) for item in report["targets"][0]["blocked"]]
    assert reasons == [("bold.test", "Refused")]
    assert "no_such_directive" in report["targets"][0]["blocked"][0]["message"]
    changed = doors.json("PUT", f"/domains/{site['id']}?wait=30", 200, web_template="broken")
    ready = next(c for c in changed["conditions"] if c["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == (False, "Refused")
    assert doors.fetch("bold.test")[0] == 200
    template = Path(doors.environment["GHOSTCP_TEMPLATES"]) / "nginx/web/broken.conf.j2"
    template.write_text("server { listen 80; server_name {{ domain }}; return 202; }\n")
    until("the mended template is live", lambda: doors.fetch("bold.test")[0] == 202)
