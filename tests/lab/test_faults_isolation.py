"""What one tenant's, operator's or intruder's fault does to all others on a host: nothing."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inventories import lab
from state.settings import PLAYBOOKS
from tests.lab.control import Control, control_plane, until

pytestmark = pytest.mark.lab

OURS = PLAYBOOKS / "templates"
LIVE = "/etc/ghostcp/live"


@pytest.fixture(scope="module")
def control(own_lab_host: lab.LabHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    folder, templates = tmp_path_factory.mktemp("control"), tmp_path_factory.mktemp("templates")
    web = (OURS / "nginx/web/default.conf.j2").read_text()
    pool = (OURS / "php/backend/PHP.conf.j2").read_text()
    for path, text in {
        "nginx/web/broken.conf.j2": web.replace(
            "index index.php", "no_such_directive on;\n    index index.php"
        ),
        "php/backend/BAD.conf.j2": pool + "no_such_setting = 1\n",
    }.items():
        (templates / path).parent.mkdir(parents=True, exist_ok=True)
        (templates / path).write_text(text)
    with control_plane(own_lab_host, folder, templates=templates, sweep_seconds=1.0) as plane:
        plane.ready(plane.tenant("ann"))
        yield plane


def attempts(control: Control, key: str) -> int:
    return sum(key in job.results for job in control.jobs())


@pytest.mark.parametrize(
    ("site", "change", "heal", "words", "service"),
    [
        (
            "web.test",
            {"web_template": "broken", "backend_template": None},
            {"web_template": "default", "backend_template": "PHP-8.4"},
            "no_such_directive",
            "nginx",
        ),
        (
            "pool.test",
            {"backend_template": "BAD-8.4"},
            {"backend_template": "PHP-8.4"},
            "no_such_setting",
            "php8.4-fpm",
        ),
    ],
)
def test_a_template_that_the_validator_refuses_harms_its_own_site_only(
    control: Control, site: str, change: dict[str, str], heal: dict[str, str], words: str, service: str
) -> None:
    bad, neighbour = control.site(site, "ann", backend_template="PHP-8.4"), control.site(f"n.{site}", "ann")
    control.ready(bad, neighbour)
    control.run("tee", f"/home/ann/web/{site}/public_html/i.php", input_="<?php echo 6 * 7;")
    before = control.run("cat", f"{LIVE}/{service}/{site}.conf")
    with control.together():
        bad = control.change(bad, **change, aliases=[f"alias.{site}"])
        neighbour = control.change(neighbour, aliases=[f"alias.n.{site}"])
        fresh = control.site(f"fresh.{site}", "ann", backend_template="PHP-8.4")

    assert words in control.says(bad, "Refused").message
    control.ready(neighbour, fresh)
    assert control.fetch(f"alias.n.{site}")[0] == control.fetch(f"fresh.{site}")[0] == 200
    assert control.run("cat", f"{LIVE}/{service}/{site}.conf") == before
    assert control.fetch(site, "/i.php") == (200, "42")
    assert control.fetch(f"alias.{site}")[0] != 200

    key = f"config:{service}/{site}.conf"
    tried, sweeps = attempts(control, key), control.target().observed_at
    until("it was swept again", lambda: control.target().observed_at != sweeps)
    assert attempts(control, key) == tried
    assert control.fetch(site, "/i.php") == (200, "42")

    control.ready(control.change(bad, **heal))
    assert control.fetch(f"alias.{site}")[0] == 200
    assert control.fetch(site, "/i.php") == (200, "42")


def test_a_template_that_is_mended_without_a_trace_is_forgiven(control: Control) -> None:
    site = control.site("mended.test", "ann")
    control.ready(site)
    assert control.settings.templates
    override = control.settings.templates / "nginx/web/default.conf.j2"
    text = (OURS / "nginx/web/default.conf.j2").read_text()
    override.write_text(text.replace("index index.php", "no_such_directive on;\n    index index.php"))
    control.says(site, "Refused")
    override.unlink()
    control.ready(site)
    assert control.fetch("mended.test")[0] == 200


def test_what_keeps_being_undone_is_reported_as_contested_and_left(control: Control) -> None:
    site = control.site("fought.test", "ann")
    control.ready(site)
    root = "/home/ann/web/fought.test/public_html"
    loop = f"while :; do chmod 0700 {root}; sleep 0.1; done"
    control.run("systemd-run", "-q", "--unit=foe", "sh", "-c", loop)

    assert root in control.says(site, "Contested").message
    tried = attempts(control, f"directory:{root}")
    other = control.site("calm.test", "ann")
    control.ready(other)
    assert attempts(control, f"directory:{root}") == tried
    assert control.fetch("calm.test")[0] == 200

    control.run("systemctl", "stop", "foe")
    control.ready(control.change(site, aliases=["alias.fought.test"]))
    assert control.run("stat", "-c", "%a", root).strip() == "755"


def test_what_was_there_before_us_is_reported_and_never_touched(control: Control) -> None:
    control.run("tee", f"{LIVE}/nginx/foreign.test.conf", input_="# somebody's own\n")
    control.run("tee", f"{LIVE}/nginx/extra.conf", input_="# made by hand\n")
    control.run("sh", "-c", "useradd -m -u 55000 zoe && mkdir /home/yan && echo hers > /home/zoe/file")

    foreign, account, home = control.site("foreign.test", "ann"), control.tenant("zoe"), control.tenant("yan")
    for document in (foreign, account, home):
        control.says(document, "Unmanaged")
    until("the extra file is reported", lambda: "config:nginx/extra.conf" in control.target().unmanaged)
    for document in (foreign, account, home):
        control.remove(document)
        control.gone(document)
    assert control.run("cat", f"{LIVE}/nginx/foreign.test.conf") == "# somebody's own\n"
    assert control.run("cat", f"{LIVE}/nginx/extra.conf") == "# made by hand\n"
    assert control.run("cat", "/home/zoe/file") == "hers\n"
    assert control.run("id", "-u", "zoe").strip() == "55000"
    assert control.run("stat", "-c", "%U %a", "/home/yan") == "root 755\n"


def test_a_source_that_lost_everything_deletes_nothing_and_says_what_holds_it_back(control: Control) -> None:
    bob = control.tenant("bob")
    sites = [control.site(f"keep{i}.test", "bob") for i in range(5)]
    control.ready(bob, *sites)
    with control.together():
        for document in (*sites, bob):
            control.remove(document, confirmed=False)
    for document in (bob, *sites):
        assert "restore the source" in control.says(document, "HeldBack").message
    assert control.fetch("keep0.test")[0] == 200
    assert control.run("id", "-u", "bob")

    for document in (*sites, bob):
        control.remove(document)
    control.gone(bob)
    assert control.fetch("keep0.test")[0] != 200


def test_what_is_equal_already_is_adopted_as_it_is(control: Control, tmp_path: Path) -> None:
    control.ready(control.site("model.test", "ann"))
    control.stop()
    folders = ("stat", "-c", "%n %i %Z", "/home/ann", "/home/ann/web/model.test")
    file = ("stat", "-c", "%n %i %Y", f"{LIVE}/nginx/model.test.conf")
    before = [control.run(*folders), control.run(*file)]
    with control_plane(control.host, tmp_path, last=control.last, worker=False) as other:
        other.start()
        ann, site = other.tenant("ann"), other.site("model.test", "ann")
        other.ready(ann, site)
        assert [other.run(*folders), other.run(*file)] == before
        other.remove(site)
        other.gone(site)
        assert other.fetch("model.test")[0] != 200
    control.start()
