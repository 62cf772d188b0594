"""Hosts that are full, read-only, or do not do as they are told: what is live stays, and all heals by itself."""

from collections.abc import Iterator

import pytest

from inventories import lab
from state.settings import PLAYBOOKS
from tests.lab.control import Control, control_plane, drop_in, until

pytestmark = pytest.mark.lab
VHOST = "/etc/ghostcp/live/nginx/{}.conf"


@pytest.fixture(scope="module")
def control(own_lab_host: lab.LabHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    folder, templates = tmp_path_factory.mktemp("control"), tmp_path_factory.mktemp("templates")
    web = (PLAYBOOKS / "templates/nginx/web/default.conf.j2").read_text()
    (templates / "nginx/web").mkdir(parents=True)
    (templates / "nginx/web/other-port.conf.j2").write_text(web.replace("listen 80;", "listen 8081;"))
    with control_plane(own_lab_host, folder, templates=templates, sweep_seconds=1.0) as plane:
        with plane.together():
            ann = plane.tenant("ann")
            site = plane.site("ann.test", "ann", backend_template="PHP-8.4")
        plane.ready(ann, site)
        plane.run("tee", "/home/ann/web/ann.test/public_html/i.php", input_="<?php echo 6 * 7;")
        yield plane


def test_a_full_disk_keeps_what_is_live_and_is_named(control: Control) -> None:
    script = """
    cp -a /etc/ghostcp /root/kept; mount -t tmpfs -o size=512k none /etc/ghostcp
    cp -a /root/kept/. /etc/ghostcp/; ! cat /dev/zero > /etc/ghostcp/filler 2>/dev/null
    """
    control.run("sh", "-ec", script)
    site = control.site("full.test", "ann")
    try:
        assert "disk is full" in control.says(site, "ApplyFailed").message
        assert control.fetch("ann.test")[0] == 200
        assert control.fetch("full.test")[0] == 421
    finally:
        control.run("rm", "/etc/ghostcp/filler")
    control.ready(site)
    assert control.fetch("full.test")[0] == 200


def test_a_full_home_stops_who_needs_it_and_nobody_else(control: Control) -> None:
    site = control.find("WebDomain", "ann.test")
    assert site
    control.run("mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=2", "none", "/home")
    try:
        bea = control.tenant("bea")
        assert "disk is full" in control.says(bea, "ApplyFailed").message
    finally:
        control.run("umount", "/home")
    control.ready(bea, site)
    assert control.run("stat", "-c", "%U %a", "/home/bea") == "bea 710\n"
    assert control.fetch("ann.test")[0] == 200


def test_a_read_only_etc_is_named_and_mended_without_a_trace(control: Control) -> None:
    control.run("sh", "-ec", "mount --bind /etc /etc; mount -o remount,bind,ro /etc")
    with control.together():
        cleo = control.tenant("cleo")
        site = control.site("cleo.test", "cleo")
    try:
        assert "read-only" in control.says(cleo, "ApplyFailed").message
        assert control.fetch("ann.test")[0] == 200
    finally:
        control.run("umount", "/etc")
    control.ready(cleo, site)
    assert control.fetch("cleo.test")[0] == 200


def test_a_reload_that_fails_is_taken_back_and_tried_again(control: Control) -> None:
    ann = control.find("WebDomain", "ann.test")
    assert ann
    with drop_in(control, "php8.4-fpm", "ExecReload=\nExecReload=/bin/false"):
        site = control.site("reload.test", "ann", backend_template="PHP-8.4")
        assert "php8.4-fpm did not load it" in control.says(site, "ApplyFailed").message
        assert control.run("ls", VHOST.format("reload.test"), check=False) == ""
        control.ready(control.site("static.test", "ann"))
        assert control.fetch("ann.test", "/i.php") == (200, "42")
    control.ready(site, ann)
    assert control.fetch("reload.test")[0] == control.fetch("static.test")[0] == 200


def test_a_port_that_a_foreign_process_has_fails_only_the_site_that_wants_it(control: Control) -> None:
    control.run("systemd-run", "-q", "--unit=taker", "python3", "-m", "http.server", "8081")
    until("the port is taken", lambda: control.run("ss", "-Hltn", "sport = :8081"))
    with control.together():
        site, other = (
            control.site("port.test", "ann", web_template="other-port"),
            control.site("free.test", "ann"),
        )
    try:
        assert "8081" in control.says(site, "ApplyFailed").message
        control.ready(other)
        assert control.fetch("ann.test")[0] == control.fetch("free.test")[0] == 200
        assert control.run("ls", VHOST.format("port.test"), check=False) == ""
    finally:
        control.run("systemctl", "stop", "taker")
    control.ready(site)


def test_a_stopped_web_server_is_started_again(control: Control) -> None:
    site = control.find("WebDomain", "ann.test")
    assert site
    control.run("systemctl", "stop", "nginx", "php8.4-fpm")
    until("nginx serves again", lambda: control.fetch("ann.test")[0] == 200)
    until("PHP runs again", lambda: control.fetch("ann.test", "/i.php") == (200, "42"))
    control.ready(site)


def test_a_web_server_whose_port_is_taken_shows_on_its_sites(control: Control) -> None:
    site = control.find("WebDomain", "ann.test")
    assert site
    taker = "systemctl stop nginx; systemd-run -q --unit=taker python3 -m http.server --bind 0.0.0.0 80"
    control.run("sh", "-ec", taker)
    try:
        until("it is said", lambda: ":80" in control.says(site, "ServiceFailed").message)
    finally:
        control.run("systemctl", "stop", "taker")
    control.ready(site)
    assert control.fetch("ann.test")[0] == 200


def test_a_vhost_that_was_deleted_comes_back(control: Control) -> None:
    vhost = VHOST.format("ann.test")
    text = control.run("cat", vhost)
    control.run("sh", "-ec", f"rm {vhost}; systemctl reload nginx")
    until("the vhost is back", lambda: control.run("cat", vhost, check=False) == text)
    until("the site is served", lambda: control.fetch("ann.test")[0] == 200)


def test_a_daemon_that_runs_something_else_than_the_disk_says_is_noticed(control: Control) -> None:
    vhost = VHOST.format("ann.test")
    other = "sed 's/server_name .*/server_name other.test;/'"
    script = f"""
    cp -a {vhost} /root/vhost; {other} /root/vhost > {vhost}
    nginx -t -q; before=$(pgrep -P $(cat /run/nginx.pid) | head -n 1); systemctl reload nginx
    while kill -0 $before 2>/dev/null; do sleep 0.05; done
    cp -a /root/vhost {vhost}
    """
    control.stop()
    control.run("sh", "-ec", script)
    assert control.fetch("ann.test")[0] == 421
    control.start()
    until("the site is served", lambda: control.fetch("ann.test")[0] == 200)
    assert control.fetch("other.test")[0] == 421
