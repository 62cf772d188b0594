"""What tenants put into their own fields and folders gives them nothing of the host's or of each other's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inventories import lab
from tests.lab.control import Control, control_plane

pytestmark = pytest.mark.lab
SECRET = "a secret of bob"
NAMES = {
    "jinja": "{{{{ lookup('pipe', 'touch {marker}') }}}}",
    "raw": "{{% raw %}}{{{{ 7 * 7 }}}}{{% endraw %}}",
    "shell": "$(touch {marker}) `touch {marker}` ' \" ; & | \\ <",
    "yaml": "!unsafe {{ &a [*a] }} # - -x %s {marker}",
}


@pytest.fixture(scope="module")
def control(own_lab_host: lab.LabHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    with control_plane(own_lab_host, tmp_path_factory.mktemp("control"), sweep_seconds=2.0) as plane:
        with plane.together():
            made = [plane.tenant("ann"), plane.tenant("bob")]
            made += [plane.site(f"{n}.test", n, backend_template="PHP-8.4") for n in ("ann", "bob")]
        plane.ready(*made)
        script = f"""
        echo "{SECRET}" > /home/bob/web/bob.test/public_html/secret.txt
        echo '<?php $password = "{SECRET}";' > /home/bob/web/bob.test/public_html/config.php
        chown -R bob:bob /home/bob/web/bob.test/public_html
        """
        plane.run("sh", "-ec", script)
        yield plane


def as_ann(control: Control, script: str, *, check: bool = True) -> str:
    return control.run("runuser", "-u", "ann", "--", "sh", "-c", script, check=check)


def test_a_full_name_is_only_ever_text(control: Control, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    wanted = {f"n{label}": text.format(marker=marker) for label, text in NAMES.items()}
    with control.together():
        tenants = [control.tenant(name, full_name=text) for name, text in wanted.items()]
    control.ready(*tenants)
    for name, text in wanted.items():
        assert control.run("getent", "passwd", name).split(":")[4] == text.replace(",", " ")
    assert not marker.exists()
    assert control.run("ls", str(marker), check=False) == ""


@pytest.mark.parametrize("elsewhere", ["/etc", "/home/bob/web"])
def test_root_never_follows_a_link_that_a_tenant_made(control: Control, elsewhere: str) -> None:
    before = control.run("stat", "-c", "%U %G %a %Z", elsewhere)
    as_ann(control, f"ln -s {elsewhere} /home/ann/web/linked.test")
    site = control.site("linked.test", "ann", document_root="/home/ann/web/linked.test/site/public_html")
    assert "symlink" in control.says(site, "Obstructed").message
    assert control.run("stat", "-c", "%U %G %a %Z", elsewhere) == before
    assert control.run("ls", f"{elsewhere}/site", check=False) == ""
    as_ann(control, "rm /home/ann/web/linked.test")
    control.ready(control.change(site, aliases=["www.linked.test"]))
    control.remove(site)
    control.gone(site)


def test_a_folder_swapped_for_a_link_again_and_again_leads_root_nowhere(control: Control) -> None:
    before = control.run("stat", "-c", "%n %U %G %a %Z", "/etc", "/home/bob/web/bob.test", "/home/bob/web")
    swapping = """cd /home/ann/web; while :; do
        mkdir swap.test 2>/dev/null; mv -T swap.test aside; ln -s /etc swap.test; sleep 0.0$(shuf -i 0-5 -n 1)
        rm swap.test; ln -s /home/bob/web swap.test; rm swap.test; mv -T aside swap.test; done"""
    control.run("systemd-run", "-q", "--unit=swapper", "--uid=ann", "sh", "-c", swapping)
    site = control.site("swap.test", "ann", document_root="/home/ann/web/swap.test/one/two/three")
    for number in range(3):
        control.settled(site)
        site = control.change(site, aliases=[f"a{number}.swap.test"])
        control.settled(site)
    control.run("systemctl", "stop", "swapper")
    control.run("rm", "-rf", "/home/ann/web/aside")
    as_ann(control, "test -L /home/ann/web/swap.test && rm /home/ann/web/swap.test", check=False)
    assert before == control.run(
        "stat", "-c", "%n %U %G %a %Z", "/etc", "/home/bob/web/bob.test", "/home/bob/web"
    )
    assert control.run("ls", "-d", "/etc/one", "/home/bob/web/one", check=False) == ""
    control.ready(control.change(site, aliases=["calm.swap.test"]))


def test_a_tenant_reads_nothing_of_another(control: Control) -> None:
    secret = "/home/bob/web/bob.test/public_html/secret.txt"
    assert SECRET not in as_ann(control, f"cat {secret}; ls /home/bob; ls /home/bob/web", check=False)
    root = "/home/ann/web/ann.test/public_html"
    scripts = {
        "read": f"<?php echo @file_get_contents('{secret}'), 'end';",
        "etc": "<?php echo @file_get_contents('/etc/passwd'), 'end';",
        "run": f"<?php echo shell_exec('cat {secret} 2>&1'), 'end';",
        "open": f"<?php ini_set('open_basedir', '/'); echo @file_get_contents('{secret}'), 'end';",
    }
    for name, text in scripts.items():
        control.run("tee", f"{root}/{name}.php", input_=text)
    links = (
        f"ln -s {secret} {root}/a.txt; ln -s /home/bob/web/bob.test/public_html {root}/b; ln -s / {root}/c;"
    )
    links += f"ln -s {secret.replace('secret.txt', 'config.php')} {root}/d.php; ln -s {secret} {root}/e.html"
    as_ann(control, links)
    for name in scripts:
        code, body = control.fetch("ann.test", f"/{name}.php")
        assert (code, body.endswith("end")) == (200, True)
        assert SECRET not in body
        assert "root:" not in body
    paths = ["/a.txt", "/b/secret.txt", "/b/config.php", f"/c{secret}", "/c/etc/passwd", "/d.php", "/e.html"]
    for path in (
        *paths,
        "/_error_pages/../a.txt",
        "/b%2fsecret.txt",
        "/..%2f..%2fbob.test/public_html/secret.txt",
    ):
        body = control.fetch("ann.test", path)[1]
        assert SECRET not in body, path
        assert "root:" not in body
    assert control.fetch("bob.test", "/secret.txt") == (200, f"{SECRET}\n")


def test_error_pages_of_a_tenant_cannot_be_links_out(control: Control) -> None:
    pages = "/home/ann/web/ann.test/_error_pages"
    as_ann(control, f"mkdir {pages}; ln -s /home/bob/web/bob.test/public_html/secret.txt {pages}/404.html")
    assert SECRET not in control.fetch("ann.test", "/nothing-here.html")[1]
