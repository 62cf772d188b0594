"""Whether a certificate is revoked, told with it (RFC 6066, section 8): by a real responder, or by none."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.x509 import load_pem_x509_certificates

from inventories import lab
from tests.lab.control import Control, control_plane, until
from tests.lab.pebble import Pebble, pebble
from tests.lab.tls import handshake

pytestmark = pytest.mark.lab
LONG = 120.0
WISHES = {"letsencrypt_enabled": True, "ssl_enabled": True}


@contextmanager
def _responder(control: Control, authority: Pebble, serial: int) -> Iterator[None]:
    """`openssl ocsp` on the host, which knows this one certificate.

    A worker of nginx that asked when nobody answered yet asks again after five minutes, or when it is another one.
    """
    certificate, key = authority.issuer()
    index = f"V\t491231235959Z\t\t{serial:02X}\tunknown\t/CN=x\n"
    for name, text in (("ca.pem", certificate), ("ca.key", key), ("index.txt", index)):
        control.run("mkdir", "-p", "/run/ocsp")
        control.run("tee", f"/run/ocsp/{name}", input_=text)
    asked = "-index index.txt -port 8888 -rsigner ca.pem -rkey ca.key -CA ca.pem -nmin 60 -ignore_err"
    start = ["systemd-run", "--unit=test-ocsp", "--working-directory=/run/ocsp", "openssl", "ocsp"]
    control.run(*start, *asked.split())
    try:
        until("it listens", lambda: control.run("ss", "-Hltn", "sport = :8888"))
        control.run("systemctl", "reload", "nginx")
        yield
    finally:
        control.run("systemctl", "stop", "test-ocsp", check=False)


def _told(host: lab.LabHost, name: str) -> bool:
    """Whether the worker that happens to answer has the word; each asks for itself."""
    said = handshake(host, name, "-status")
    return "OCSP Response Status: successful" in said and "Cert Status: good" in said


def test_a_certificate_comes_with_the_word_of_its_authority_where_that_gives_it(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    with (
        pebble(lab_host.ipv4, tmp_path, ocsp="http://127.0.0.1:8888") as authority,
        control_plane(lab_host, tmp_path, authorities=authority.authorities) as control,
    ):
        with control.together():
            sol = control.tenant("sol")
            site = control.site("sol.test", "sol", **WISHES)
        certificate = until("there is one", lambda: control.find("Certificate", "sol.test"))
        control.ready(certificate, site, seconds=LONG)
        until("it is shown", lambda: "shown:sol.test" in control.status(site).applied)
        leaf = load_pem_x509_certificates(control.kept(certificate)["pem"].encode())[0]
        assert "no response sent" in handshake(lab_host, "sol.test", "-status")
        with _responder(control, authority, leaf.serial_number):
            until("it is told", lambda: _told(lab_host, "sol.test"))
        control.remove(sol)
        control.gone(sol)


def test_an_authority_that_gives_none_is_not_asked(lab_host: lab.LabHost, tmp_path: Path) -> None:
    with (
        pebble(lab_host.ipv4, tmp_path) as authority,
        control_plane(lab_host, tmp_path, authorities=authority.authorities) as control,
    ):
        with control.together():
            sif = control.tenant("sif")
            site = control.site("sif.test", "sif", **WISHES)
        until("it is shown", lambda: "shown:sif.test" in control.status(site).applied, LONG)
        control.ready(site)
        assert "stapling" not in control.run("cat", "/etc/ghostcp/live/nginx/sif.test.conf")
        assert "no response sent" in handshake(lab_host, "sif.test", "-status")
        control.remove(sif)
        control.gone(sif)
