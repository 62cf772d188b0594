"""Sites over HTTPS on a real host, before there is a certificate, and what every site answers an authority."""

from functools import partial
from pathlib import Path

import pytest

from inventories import lab
from state.certificates.account import thumbprint
from tests.lab.control import Control, control_plane, drop_in, until
from tests.lab.tls import curl, handshake

pytestmark = pytest.mark.lab
TOKEN = "LoqXcYV8q5ONbJQxbmR7SCTNo3tiAXDfowyjxAjEuX0"
ASKED = f"/.well-known/acme-challenge/{TOKEN}"


def _answer(control: Control) -> str:
    with control.database.reading() as connection:
        return f"{TOKEN}.{thumbprint(connection)}"


def test_a_site_without_a_certificate_speaks_https_and_a_name_of_nobody_gets_no_handshake(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    with control_plane(lab_host, tmp_path) as control:
        tora = control.tenant("tora")
        plain = control.site("plain.test", "tora")
        secure = control.site("secure.test", "tora", ssl_enabled=True, ssl_force=True, ssl_hsts=True)
        control.ready(tora, plain, secure)
        found = handshake(lab_host, "secure.test")
        assert "subject=CN = placeholder.invalid" in found
        assert "ALPN protocol: h2" in found
        assert "New, TLSv1.3" in found
        assert "New, TLSv1.2" in handshake(lab_host, "secure.test", "-tls1_2")
        assert "Cipher is (NONE)" in handshake(
            lab_host, "secure.test", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"
        )
        for name in ("plain.test", "nobody.test"):
            assert "unrecognized name" in handshake(lab_host, name)
        code, head = curl(lab_host, "https://secure.test/", "--insecure", "--head")
        assert (code, "strict-transport" in head.lower()) == (200, False)
        assert curl(lab_host, "http://secure.test/")[0] == 200
        secured = control.condition(secure, "Secured")
        assert secured is not None
        assert secured.reason == "NoCertificate"
        control.remove(tora)
        control.gone(tora)


@pytest.mark.parametrize("endings", [("crt", "key"), ("key",)])
def test_a_placeholder_that_is_deleted_is_made_anew_and_takes_no_site_down(
    lab_host: lab.LabHost, tmp_path: Path, endings: tuple[str, ...]
) -> None:
    with control_plane(lab_host, tmp_path, sweep_seconds=2) as control:
        tora = control.tenant("tora")
        sites = [control.site("plain.test", "tora"), control.site("secure.test", "tora", ssl_enabled=True)]
        control.ready(tora, *sites)
        gone = [f"/etc/ghostcp/placeholder.{ending}" for ending in endings]
        control.run("rm", *gone)
        control.run("systemctl", "restart", "nginx")
        assert curl(lab_host, "https://secure.test/", "--insecure", "--head")[0] == 200
        with drop_in(control, "ghostcp-placeholder", "ExecStart=\nExecStart=/bin/true"):
            control.run("rm", *gone)
            lab.exec(lab_host, ["systemctl", "restart", "nginx"])
            shown = partial(handshake, lab_host, "secure.test")
            until("they answer again", lambda: "placeholder.invalid" in shown())
            control.run("rm", *gone)
            until("it is there again", lambda: not lab.exec(lab_host, ["ls", *gone]).returncode)
            control.run("rm", *gone)
            late = control.site("late.test", "tora", ssl_enabled=True)
            control.ready(late, *sites)
        assert "placeholder.invalid" in handshake(lab_host, "late.test")
        assert all(not control.status(site).repairs for site in (late, *sites))
        control.remove(tora)
        control.gone(tora)


def test_every_sort_of_site_answers_challenges_and_a_tenants_own_answer_comes_first(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    with control_plane(lab_host, tmp_path) as control:
        tora = control.tenant("tora")
        sites = [
            control.site("static.test", "tora", ssl_enabled=True),
            control.site("php.test", "tora", backend_template="PHP-8.4", aliases=["*.php.test"]),
            control.site("proxied.test", "tora", proxy_template="app-socket"),
            control.site("closed.test", "tora", is_suspended=True, ssl_enabled=True),
        ]
        control.ready(tora, *sites)
        for name in (*(each.name for each in sites), "a.php.test"):
            assert control.fetch(name, ASKED) == (200, _answer(control))
            assert control.fetch(name, "/.well-known/acme-challenge/")[0] in {403, 404}
            assert control.fetch(name, f"{ASKED}%20%22")[0] == 404
        assert control.fetch("nobody.test", ASKED)[0] == 421
        folder = "/home/tora/web/static.test/public_html/.well-known/acme-challenge"
        control.run("runuser", "-u", "tora", "--", "mkdir", "-p", folder)
        control.run("runuser", "-u", "tora", "--", "tee", f"{folder}/{TOKEN}", input_="mine")
        assert control.fetch("static.test", ASKED) == (200, "mine")
        control.remove(tora)
        control.gone(tora)
