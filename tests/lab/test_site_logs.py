"""Each site has its own access and error log, and none costs nginx a descriptor."""

import pytest

from inventories import lab
from inventories.lab import LabHost

pytestmark = pytest.mark.lab

VHOST = """server {{
    listen 80; listen [::]:80;
    server_name site{0}.test www.site{0}.test;
    root /srv;
    error_log syslog:server=unix:/run/ghostcp/nginx-error.sock,nohostname,tag=site_{0} warn;
}}
"""


def sh(host: LabHost, script: str) -> str:
    return lab.exec(host, ["timeout", "30", "sh", "-ec", script], check=True).stdout


def serve(host: LabHost, sites: int) -> None:
    """Serve so many sites, and wait until the workers of the configuration before are gone."""
    vhosts = "".join(map(VHOST.format, range(sites)))
    lab.exec(host, ["tee", "/etc/ghostcp/live/nginx/sites.conf"], stdin=vhosts, check=True)
    sh(
        host,
        """
        before=$(pgrep -P "$(cat /run/nginx.pid)" | paste -sd' ')
        nginx -t -q; systemctl reload nginx
        for worker in $before; do while kill -0 "$worker" 2>/dev/null; do sleep 0.05; done; done
        """,
    )


def request(host: LabHost, site: int, path: str) -> None:
    sh(host, f"curl -s -o /dev/null -H 'Host: www.site{site}.test' http://127.0.0.1/{path}")


def log(host: LabHost, path: str, wanted: str) -> str:
    """The log at `path` once `wanted` is in it."""
    return sh(
        host,
        f"until grep -qs {wanted} /var/log/ghostcp/{path}; do sleep 0.05; done; cat /var/log/ghostcp/{path}",
    )


@pytest.fixture(scope="module")
def host(own_lab_host: LabHost) -> LabHost:
    serve(own_lab_host, 2)
    return own_lab_host


def test_two_sites_have_logs_of_their_own(host: LabHost) -> None:
    request(host, 0, "first-nothing")
    request(host, 1, "second-nothing")
    for site, word, other in ((0, "first", "second"), (1, "second", "first")):
        access = log(host, f"access/site{site}.test.log", f"{word}-nothing")
        errors = log(host, f"error/site_{site}.log", f"{word}-nothing")
        assert f'"GET /{word}-nothing HTTP/1.1" 404' in access
        assert f'open() "/srv/{word}-nothing" failed' in errors
        assert f"{other}-nothing" not in access + errors


def test_rotated_logs_go_on_without_a_signal_to_nginx(host: LabHost) -> None:
    request(host, 0, "before")
    log(host, "access/site0.test.log", "before")
    log(host, "error/site_0.log", "before")
    workers = sh(host, "pgrep nginx")

    sh(host, "logrotate --force /etc/logrotate.d/ghostcp-sites")

    for path in ("access/site0.test.log", "error/site_0.log"):
        waiting = f"cd /var/log/ghostcp; until grep -qs after {path}; do "
        waiting += "curl -s -o /dev/null -H 'Host: site0.test' http://127.0.0.1/after; sleep 0.2; done"
        sh(host, waiting)
        assert "before" in log(host, f"{path}.1", "before")
        assert "before" not in log(host, path, "after")
    assert sh(host, "pgrep nginx") == workers


def test_a_name_in_a_message_never_becomes_a_path(host: LabHost) -> None:
    forged = "<187>Nov 23 10:00:00 ../../../etc/evil: hello\\n<187>Nov 23 10:00:00 %s: hello" % ("x" * 40)
    sender = "import socket,sys; s=socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); "
    sender += "[s.sendto(m.encode(), '/run/ghostcp/nginx-error.sock') for m in sys.argv[1].split('\\\\n')]"
    before = sh(host, "find / -xdev -name '*evil*' -o -xdev -name 'xxxxx*'")
    lab.exec(host, ["python3", "-c", sender, forged], check=True)
    request(host, 0, "marker")
    log(host, "error/site_0.log", "marker")
    assert sh(host, "find / -xdev -name '*evil*' -o -xdev -name 'xxxxx*'") == before


def test_a_tenant_cannot_write_into_the_error_log_of_a_site(host: LabHost) -> None:
    reach = ["setpriv", "--reuid=nobody", "--clear-groups", "test", "-e", "/run/ghostcp/nginx-error.sock"]
    assert lab.exec(host, reach).returncode == 1


def test_descriptors_do_not_grow_with_the_number_of_sites(host: LabHost) -> None:
    count = "for process in $(pgrep nginx); do ls /proc/$process/fd | wc -l; done | sort -n | tail -1"
    few = int(sh(host, count))
    serve(host, 3000)
    request(host, 2999, "marker")
    assert "marker" in log(host, "access/site2999.test.log", "marker")
    assert "marker" in log(host, "error/site_2999.log", "marker")
    assert int(sh(host, count)) <= few + 2
