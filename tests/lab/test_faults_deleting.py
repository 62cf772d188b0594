"""Deleting takes all that was ours and nothing else, and a name that is free again is really free."""

from collections.abc import Iterator

import pytest

from inventories import lab
from tests.lab.control import Control, control_plane, until

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def control(own_lab_host: lab.LabHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    with control_plane(own_lab_host, tmp_path_factory.mktemp("control"), sweep_seconds=2.0) as plane:
        yield plane


def host_words(control: Control, name: str) -> str:
    """Where the word still stands on the host, outside of quarantine."""
    folders = ("/etc/ghostcp/live/", "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/run/php")
    found = control.run("grep", "-rlw", name, *folders, check=False)
    return found + control.run(
        "find", "/home", "/run/php", "-name", f"*{name}*", "-not", "-path", "*/.quarantine*"
    )


def test_deleting_a_user_takes_all_of_it_and_nothing_of_others(control: Control) -> None:
    with control.together():
        ann, bea = control.tenant("ann"), control.tenant("bea")
        sites = [control.site(f"ann{i}.test", "ann", backend_template="PHP-8.4") for i in range(2)]
        other = control.site("bea.test", "bea")
    control.ready(ann, bea, *sites, other)
    www = control.run("cat", "/etc/php/8.4/fpm/pool.d/www.conf")
    control.run("sh", "-ec", "echo mine > /home/ann/diary; runuser -u ann -- sleep 1000 >/dev/null 2>&1 &")

    control.remove(ann)
    control.gone(ann)
    for site in sites:
        control.gone(site)
        assert control.fetch(site.name)[0] == 421
    assert host_words(control, "ann") == ""
    assert control.run("pgrep", "-u", "10001", check=False) == ""
    assert control.run("sh", "-c", "cat /home/.quarantine/*/diary") == "mine\n"
    assert control.run("cat", "/etc/php/8.4/fpm/pool.d/www.conf") == www
    assert control.run("sh", "-c", "test -S /run/php/php8.4-fpm.sock && echo there") == "there\n"
    assert control.fetch("bea.test")[0] == 200


def test_a_name_used_again_at_once_gets_a_new_number_and_an_empty_home(control: Control) -> None:
    first = control.tenant("cleo")
    control.ready(first)
    number = control.run("id", "-u", "cleo")
    control.run("sh", "-ec", "echo secret > /home/cleo/diary; chown cleo /home/cleo/diary")
    with control.together():
        control.remove(first)
        second = control.tenant("cleo")
    control.ready(second)
    control.gone(first)
    assert control.run("id", "-u", "cleo") != number
    assert control.run("ls", "-A", "/home/cleo").split() == ["tmp", "web"]
    assert control.run("sh", "-c", "cat /home/.quarantine/*cleo*/diary") == "secret\n"
    assert control.run("stat", "-c", "%U %a", "/home/cleo") == "cleo 710\n"


def test_a_site_name_goes_to_another_tenant_while_its_tombstone_waits(control: Control) -> None:
    with control.together():
        dora, emma = control.tenant("dora"), control.tenant("emma")
        old = control.site("moving.test", "dora", backend_template="PHP-8.4")
    control.ready(dora, emma, old)
    control.run("tee", "/home/dora/web/moving.test/public_html/index.html", input_="dora's")
    control.stop()
    control.remove(old)
    new = control.site("moving.test", "emma")
    control.start()
    control.ready(new)
    control.gone(old)
    assert "dora" not in control.fetch("moving.test")[1]
    assert control.fetch("moving.test")[0] == 200
    assert control.run("ls", "/home/dora/web").split() == []
    assert control.run("ls", "/etc/ghostcp/live/php8.4-fpm").count("moving.test") == 0


def test_a_source_that_has_again_what_it_lost_gets_back_the_same(control: Control) -> None:
    with control.together():
        fay = control.tenant("fay")
        sites = [control.site(f"fay{i}.test", "fay") for i in range(6)]
    control.ready(fay, *sites)
    number = control.run("id", "-u", "fay")
    control.run("tee", "/home/fay/web/fay0.test/public_html/index.html", input_="fay's")
    with control.together():
        for document in (*sites, fay):
            control.remove(document, confirmed=False)
    control.says(fay, "HeldBack")
    with control.together():
        again = [control.tenant("fay"), *(control.site(site.name, "fay") for site in sites)]
    control.ready(*again)
    assert control.run("id", "-u", "fay") == number
    assert control.fetch("fay0.test") == (200, "fay's")


def test_a_suspended_tenant_is_locked_out_and_comes_back_as_it_was(control: Control) -> None:
    with control.together():
        gina = control.tenant("gina")
        site = control.site("gina.test", "gina", backend_template="PHP-8.4")
    control.ready(gina, site)
    control.run("tee", "/home/gina/web/gina.test/public_html/i.php", input_="<?php echo 6 * 7;")
    before = control.run("getent", "shadow", "gina")
    pool = "/etc/ghostcp/live/php8.4-fpm/gina.test.conf"

    gina = control.change(gina, is_suspended=True)
    until("PHP is gone", lambda: control.run("ls", pool, check=False) == "")
    control.ready(gina, site)
    code, page = control.fetch("gina.test", "/i.php")
    assert code == 503
    assert "suspended" in page.lower()
    assert control.run("getent", "shadow", "gina").split(":")[1].startswith("!")
    assert control.run("sh", "-c", "ls /run/php/ghostcp-gina* 2>/dev/null", check=False) == ""

    gina = control.change(gina, is_suspended=False)
    until("PHP is back", lambda: control.fetch("gina.test", "/i.php") == (200, "42"))
    control.ready(gina, site)
    assert control.run("getent", "shadow", "gina") == before
