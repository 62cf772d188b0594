"""playbooks/bootstrap.yml, run again on a host that it has made."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from inventories import lab
from inventories.lab import LabHost

pytestmark = pytest.mark.lab
ROOT = Path(__file__).resolve().parents[2]


def bootstrap(host: LabHost) -> str:
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-i", host.inventory, "playbooks/bootstrap.yml"],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_PIPELINING": "1", "ANSIBLE_NOCOLOR": "1", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_second_run_changes_nothing_not_even_a_newer_live_generation(own_lab_host: LabHost) -> None:
    newer = "cd /etc/ghostcp/generations && mkdir -p 7/nginx 7/php8.4-fpm 7/named && "
    newer += "ln -sfn generations/7 ../live && rm -r 0"
    lab.exec(own_lab_host, ["sh", "-c", newer], check=True)

    said = bootstrap(own_lab_host)

    (recap,) = re.findall(r"ok=\d+ +changed=\d+ .*", said)
    assert re.match(r"ok=\d+ +changed=0 +unreachable=0 +failed=0 ", recap), said
    assert lab.exec(own_lab_host, ["readlink", "/etc/ghostcp/live"]).stdout == "generations/7\n"
    assert lab.exec(own_lab_host, ["ls", "/etc/ghostcp/generations"]).stdout == "7\n"


def test_its_services_run_with_room_for_thousands_of_sites(lab_host: LabHost) -> None:
    services = ["nginx.service", "php8.4-fpm.service", "rsyslog.service"]
    assert lab.exec(lab_host, ["systemctl", "is-active", *services]).stdout.split() == ["active"] * 3
    for service in services[:2]:
        shown = lab.exec(
            lab_host, ["systemctl", "show", service, "-p", "LimitNOFILE,TasksMax,Restart"]
        ).stdout
        assert set(shown.split()) == {"LimitNOFILE=1048576", "TasksMax=infinity", "Restart=always"}


def test_a_killed_service_comes_back(own_lab_host: LabHost) -> None:
    for service in ("nginx.service", "php8.4-fpm.service"):
        before = lab.exec(
            own_lab_host, ["systemctl", "show", "--value", "-p", "MainPID", service]
        ).stdout.strip()
        lab.exec(own_lab_host, ["kill", "-9", before], check=True)
        script = f"until systemctl is-active -q {service} && "
        script += f'[ "$(systemctl show --value -p MainPID {service})" != {before} ]; do sleep 0.1; done'
        assert lab.exec(own_lab_host, ["timeout", "20", "sh", "-c", script]).returncode == 0


def test_a_pool_of_the_live_generation_is_served(own_lab_host: LabHost) -> None:
    pool = "[tenant]\nuser=nobody\nlisten=/run/php/tenant.sock\npm=ondemand\npm.max_children=2\n"
    lab.exec(own_lab_host, ["tee", "/etc/ghostcp/live/php8.4-fpm/tenant.conf"], stdin=pool, check=True)
    lab.exec(own_lab_host, ["systemctl", "reload", "php8.4-fpm.service"], check=True)
    waiting = ["timeout", "20", "sh", "-c", "until test -S /run/php/tenant.sock; do sleep 0.1; done"]
    assert lab.exec(own_lab_host, waiting).returncode == 0
    pools = lab.exec(own_lab_host, ["php-fpm8.4", "-tt"]).stderr
    assert "[tenant]" in pools
    assert "[www]" in pools


def test_a_name_that_no_site_has_is_answered_by_none(lab_host: LabHost) -> None:
    for address in ("127.0.0.1", "[::1]"):
        status = [
            "curl",
            "-so",
            "/dev/null",
            "-w",
            "%{http_code}",
            "-H",
            "Host: nobody.test",
            f"http://{address}/",
        ]
        assert lab.exec(lab_host, status).stdout == "421"
    refused = lab.exec(
        lab_host, ["curl", "-sk", "--resolve", "nobody.test:443:127.0.0.1", "https://nobody.test/"]
    )
    assert refused.returncode == 35, "the TLS handshake was not refused"


def test_pages_stand_in_for_sites_without_outside_help(lab_host: LabHost) -> None:
    pages = ["suspended/index", *(f"errors/{status}" for status in (403, 404, 500, 502, 503, 504))]
    for page in pages:
        content = lab.exec(lab_host, ["cat", f"/usr/share/ghostcp/{page}.html"], check=True).stdout
        assert content.startswith("<!DOCTYPE html>")
        assert not re.search(r"https?://|src=|href=", content)


@pytest.mark.parametrize("kind", ["files", "templates"])
def test_every_file_on_a_host_says_who_wrote_it(kind: str) -> None:
    files = [path for path in (ROOT / "playbooks/roles").glob(f"*/{kind}/**/*") if path.is_file()]
    assert files
    assert [path for path in files if "Managed by GhostCP" not in path.read_text()] == []
