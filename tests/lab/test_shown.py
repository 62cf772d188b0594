"""The certificate that is really served on port 443: proved after a change, and drift when it is another one."""

from pathlib import Path

import pytest

from inventories import lab
from state.certificates.chains import read_chain
from tests.lab.control import Control, control_plane, until
from tests.lab.test_certificates import give
from tests.lab.tls import handshake
from tests.state.vouching import Vouched, vouch

pytestmark = pytest.mark.lab
FOREIGN = "/etc/nginx/conf.d/000-foreign"
SERVER = """\
server {
    listen 443 ssl;
    server_name seen.test;
    ssl_certificate /etc/nginx/conf.d/000-foreign.crt;
    ssl_certificate_key /etc/nginx/conf.d/000-foreign.key;
}
"""


def _lay(control: Control, given: Vouched) -> None:
    """Somebody else's server for the name, which comes first."""
    for suffix, text in ((".crt", given.chain), (".key", given.key), (".conf", SERVER)):
        control.run("tee", f"{FOREIGN}{suffix}", input_=text)
    control.run("systemctl", "reload", "nginx")


def _shows(host: lab.LabHost, days: str) -> bool:
    return days in handshake(host, "seen.test")


def test_a_certificate_that_is_served_instead_is_drift_whatever_the_files_say(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    mine, other = vouch("seen.test"), vouch("seen.test", days=2, trust="Others")
    with control_plane(lab_host, tmp_path, sweep_seconds=2.0) as control:
        per = control.tenant("per")
        site = control.site("seen.test", "per", ssl_enabled=True, ssl_force=True)
        certificate = control.create("Certificate", "seen.test", "per", acme_provider=None)
        control.says(certificate, "NotGiven")
        give(control, certificate, mine)
        control.ready(certificate, site)
        until("it is proved", lambda: "shown:seen.test" in control.status(site).applied)
        control.ready(site)

        _lay(control, other)
        until("the other is shown", lambda: _shows(lab_host, "Others"))
        drifted = until("it has drifted", lambda: _drift(control, "seen.test"))
        assert f"valid_until: {_end(mine)} is {_end(other)} on the host" in drifted
        contested = control.says(site, "Contested", seconds=90)
        assert "shown:seen.test" in contested.message

        for suffix in (".conf", ".crt", ".key"):
            control.run("rm", f"{FOREIGN}{suffix}")
        assert _shows(lab_host, "Others")
        control.run("systemctl", "reload", "nginx")
        control.ready(site, seconds=90)
        until("its own is shown", lambda: not _shows(lab_host, "Others"))

        _lay(control, other)
        for suffix in (".conf", ".crt", ".key"):
            control.run("rm", f"{FOREIGN}{suffix}")
        until("it is repaired by what is live being loaded", lambda: not _shows(lab_host, "Others"))
        control.ready(site)
        control.remove(per)
        control.gone(per)


def _drift(control: Control, name: str) -> str:
    site = control.find("WebDomain", name)
    found = control.condition(site, "Drifted") if site else None
    return found.message if found and found.status else ""


def _end(given: Vouched) -> str:
    return f"{read_chain(given.chain).valid_until:%Y-%m-%dT%H:%M:%SZ}"
