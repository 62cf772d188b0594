"""Certificates on a real host: one's own shown as soon as it is given, swapped without a broken connection."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from inventories import lab
from state.document import Document
from state.keeping import keep, put_away
from state.kind import Handed
from state.kinds.certificate import CERTIFICATE
from state.recording import touch
from tests.lab.control import Control, control_plane, until
from tests.lab.tls import curl, handshake
from tests.state.vouching import Vouched, vouch

pytestmark = pytest.mark.lab


def give(control: Control, certificate: Document, given: Vouched) -> None:
    """As the door does it."""
    assert CERTIFICATE.handing is not None
    fields = {"certificate": given.chain, "private_key": given.key}
    handed = CERTIFICATE.handing.take(certificate.name, fields, {}, certificate.created_at)
    assert isinstance(handed, Handed), handed
    with control.database.writing() as connection:
        keep(connection, certificate.uid, handed.keep)
        put_away(connection, control.settings.var, certificate.uid, handed.secrets)
        touch(connection, certificate)


def test_ones_own_certificate_is_shown_forced_insisted_on_and_taken_away_again(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    root = tmp_path / "root.pem"
    mine, other = vouch("own.test", "*.own.test"), vouch("own.test")
    root.write_text(mine.root)
    trusted = ("--cacert", str(root))
    with control_plane(lab_host, tmp_path, sweep_seconds=2.0) as control:
        vera = control.tenant("vera")
        wishes = {"ssl_enabled": True, "ssl_force": True, "ssl_hsts": True}
        site = control.site("own.test", "vera", aliases=["www.own.test", "else.test"], **wishes)
        certificate = control.create("Certificate", "own.test", "vera", acme_provider=None)
        control.says(certificate, "NotGiven")
        control.ready(site)
        assert curl(lab_host, "https://own.test/", *trusted)[0] == 0

        give(control, certificate, mine)
        control.ready(certificate)
        until("it is shown", lambda: curl(lab_host, "https://own.test/", *trusted)[0] == 200)
        assert "Verify return code: 0" in handshake(lab_host, "www.own.test", "-CAfile", str(root))
        head = curl(lab_host, "https://own.test/", "--head", *trusted)[1].lower()
        assert head.startswith("http/2 200")
        assert "strict-transport-security: max-age=63072000" in head
        moved = curl(lab_host, "http://own.test/x?y=1", "--head")[1]
        assert "Location: https://own.test/x?y=1" in moved
        assert curl(lab_host, "http://www.own.test/")[0] == 301
        assert curl(lab_host, "http://else.test/")[0] == 200
        token = "a" * 43
        assert curl(lab_host, f"http://own.test/.well-known/acme-challenge/{token}")[1].startswith(token)
        assert "own.test" in control.secured(site)

        key = "/etc/ghostcp/live/nginx/private/own.test.key"
        assert control.run("stat", "-c", "%U %a", "-L", key).split() == ["root", "600"]
        control.run("rm", key)
        until("the key is back", lambda: control.run("cat", key, check=False) == mine.key)

        with _held(lab_host) as answer:
            give(control, certificate, other)
            until("the other is shown", lambda: "www.own.test" not in _names(lab_host))
            assert answer().startswith(b"HTTP/1.1 200")
        until("www is not sent there", lambda: curl(lab_host, "http://www.own.test/")[0] == 200)
        for trace in (control.jobs(), control.target()):
            assert mine.key.splitlines()[1] not in str(trace)

        control.remove(certificate)
        control.gone(certificate)
        until("nobody is sent there", lambda: curl(lab_host, "http://own.test/")[0] == 200)
        assert "placeholder" in handshake(lab_host, "own.test")
        assert control.run("ls", "/etc/ghostcp/live/nginx/private", check=False).split() == []
        control.remove(vera)
        control.gone(vera)


def test_a_certificate_of_another_tenant_goes_when_its_name_is_taken_and_is_never_shown(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    theirs, mine = vouch("taken.test", trust="Somebody Else"), vouch("taken.test")
    with control_plane(lab_host, tmp_path) as control:
        rolf, siv = control.tenant("rolf"), control.tenant("siv")
        early = control.create("Certificate", "taken.test", "rolf", acme_provider=None)
        give(control, early, theirs)
        control.ready(early)
        site = control.site("taken.test", "siv", ssl_enabled=True)
        own = control.create("Certificate", "taken.test", "siv", acme_provider=None)
        give(control, own, mine)
        control.gone(early)
        control.ready(own, site)
        until("it is shown", lambda: "Test Trust" in handshake(lab_host, "taken.test"))
        assert control.run("cat", "/etc/ghostcp/live/nginx/private/taken.test.key") == mine.key
        for user in (rolf, siv):
            control.remove(user)
            control.gone(user)


def test_the_end_of_ones_own_certificate_is_told_of_before_and_when_it_has_come(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    with control_plane(lab_host, tmp_path, sweep_seconds=2.0) as control:
        ebba = control.tenant("ebba")
        site = control.site("ebba.test", "ebba", ssl_enabled=True)
        certificate = control.create("Certificate", "ebba.test", "ebba", acme_provider=None)
        control.says(certificate, "NotGiven")
        give(control, certificate, vouch("ebba.test", days=40 / 86400))
        control.ready(certificate, site)
        until("its end is told of", lambda: _why(control, certificate) == "EndsSoon")
        assert len(control.events("ssl.certificate.failed")) == 2, "that none was given, and that it ends"
        control.says(certificate, "Ended", seconds=120)
        until("so it is of the site", lambda: _why(control, site) == "Ended")
        assert len(control.events("ssl.certificate.failed")) == 3

        give(control, certificate, vouch("ebba.test"))
        control.ready(certificate, site)
        assert "ebba.test" in control.secured(site)
        control.remove(ebba)
        control.gone(ebba)


def _why(control: Control, document: Document) -> str:
    found = control.condition(document, "Secured")
    return found.reason if found and not found.status else ""


@contextmanager
def _held(host: lab.LabHost) -> Iterator[Callable[[], bytes]]:
    """A connection that is open meanwhile, and what is answered on it in the end."""
    argv = ["openssl", "s_client", "-quiet", "-connect", f"{host.ipv4}:443", "-servername", "own.test"]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe) as held:
        assert held.stderr is not None
        held.stderr.readline()
        yield lambda: held.communicate(b"GET / HTTP/1.1\r\nHost: own.test\r\nConnection: close\r\n\r\n")[0]


def _names(host: lab.LabHost) -> str:
    shown = handshake(host, "own.test")
    argv = ["openssl", "x509", "-noout", "-ext", "subjectAltName"]
    return subprocess.run(argv, input=shown, capture_output=True, text=True, check=True).stdout
