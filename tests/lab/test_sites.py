"""From a document to a served site, and back, on a real host."""

from pathlib import Path

import pytest

from inventories import lab
from tests.lab.control import control_plane, until

pytestmark = pytest.mark.lab


def test_a_site_is_served_runs_php_as_its_tenant_and_is_repaired_when_the_host_drifts(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    with control_plane(lab_host, tmp_path, sweep_seconds=2.0) as control:
        alice = control.tenant("alice")
        site = control.site("alice.test", "alice", aliases=["www.alice.test"], backend_template="PHP-8.4")
        control.ready(alice, site)
        assert control.fetch("www.alice.test")[0] == 200
        root = "/home/alice/web/alice.test/public_html"
        script = "<?php echo posix_getpwuid(posix_geteuid())['name'], ini_get('open_basedir');"
        control.run("tee", f"{root}/who.php", input_=script)
        code, body = control.fetch("alice.test", "/who.php")
        assert (code, body.split("/")[0]) == (200, "alice")

        vhost = "/etc/ghostcp/live/nginx/alice.test.conf"
        text = control.run("cat", vhost)
        control.run("sh", "-c", f"echo '# by hand' >> {vhost}; chown root {root}; usermod -L -aG adm alice")
        until("the sweep saw the drift", lambda: control.jobs("sweep"))
        until("the vhost is repaired", lambda: control.run("cat", vhost) == text)
        until("the folder is hers", lambda: control.run("stat", "-c", "%U", root).strip() == "alice")
        password = lambda: control.run("getent", "shadow", "alice").split(":")[1]  # noqa: E731
        until("the account is unlocked", lambda: not password().startswith("!"))
        until("she is in no other group", lambda: control.run("id", "-Gn", "alice").strip() == "alice")
        repaired = f"directory:{root}"
        until("a sweep tells of it", lambda: any(repaired in job.results for job in control.jobs("sweep")))
        control.remove(site)
        control.gone(site)
        assert control.fetch("alice.test")[0] != 200
        control.remove(alice)
        control.gone(alice)
        assert control.run("id", "alice", check=False) == ""
        assert "alice" in control.run("ls", "/home/.quarantine")


def test_an_edit_by_hand_that_breaks_the_service_holds_nobody_else_up(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    with control_plane(lab_host, tmp_path, sweep_seconds=3600.0) as control:
        eve = control.tenant("eve")
        broken = control.site("broken.test", "eve")
        control.ready(eve, broken)
        path = "/etc/ghostcp/live/nginx/broken.test.conf"
        text = control.run("cat", path)
        control.run("sh", "-c", f"echo 'no_such_directive on;' >> {path}")
        control.ready(control.site("next.test", "eve"), seconds=20)
        assert control.fetch("next.test")[0] == control.fetch("broken.test")[0] == 200
        assert control.run("cat", path) == text
        control.remove(eve)
        control.gone(eve)
