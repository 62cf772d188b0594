"""Authorities that are difficult: told of, asked again in their own time, and in the way of nobody else."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from inventories import lab
from reconciler.certificates import line
from state.document import Condition
from tests.lab import difficult as faults
from tests.lab.control import control_plane, until
from tests.lab.difficult import Fault, difficult
from tests.lab.pebble import pebble
from tests.lab.tls import curl

pytestmark = pytest.mark.lab
LONG = 150.0
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("name", "fault", "code", "least"),
    [
        ("eli", faults.limited, "RateLimited", 2 * HOUR),
        ("lea", faults.nonsense, "BadAnswer", HOUR / 12),
        ("ida", faults.broken, "AuthorityDown", HOUR / 4),
        ("udo", faults.slow, "AuthorityDown", HOUR / 12),
    ],
)
def test_a_difficult_authority_is_told_of_waited_for_and_in_nobodys_way(
    lab_host: lab.LabHost,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    fault: Fault,
    code: str,
    least: timedelta,
) -> None:
    monkeypatch.setattr(line, "SECONDS", 2)
    domain = f"{name}.test"
    with (
        pebble(lab_host.ipv4, tmp_path, PEBBLE_VA_NOSLEEP="1") as authority,
        difficult(authority, tmp_path) as door,
        control_plane(lab_host, tmp_path, authorities=door.authorities, sweep_seconds=2.0) as control,
    ):
        door.fault = fault
        with control.together():
            owner = control.tenant(name)
            site = control.site(domain, name, ssl_enabled=True, ssl_force=True)
            one = control.create("Certificate", domain, name, acme_provider="pebble")
        said = control.says(one, code)
        control.ready(owner, site, control.site(f"other-{domain}", name))
        assert curl(lab_host, f"http://{domain}/")[0] == 200
        trouble = control.kept(one)["trouble"]
        assert (trouble["code"], trouble["tries"]) == (code, 1)
        assert trouble["retry_at"] in said.message
        left = datetime.fromisoformat(trouble["retry_at"]) - datetime.now(UTC)
        assert least - HOUR / 30 < left <= least
        assert [job.status for job in control.jobs("ssl_issue")] == ["failed"]
        until("it is told", lambda: control.events("ssl.certificate.failed"))
        swept = control.target().observed_at
        until("the host was swept", lambda: control.target().observed_at != swept)
        assert len(control.jobs("ssl_issue")) == 1
        assert control.events("ssl.certificate.failed") == [domain]

        door.fault = faults.leisurely
        control.remember(one, trouble=None)
        control.ready(one, seconds=LONG)
        trusted = ("--cacert", str(authority.root()))
        until("it is secured", lambda: curl(lab_host, f"https://{domain}/", *trusted)[0] == 200)
        assert "trouble" not in control.kept(one)

        door.fault = fault
        control.remember(one, renew_at="2026-01-01T00:00:00Z", had_at=None)
        until(
            "it cannot be renewed", lambda: [j.status for j in control.jobs("ssl_renew")] == ["failed"], LONG
        )
        until("that is told", lambda: control.events("ssl.certificate.failed") == [domain, domain])
        secured = until("it is said", lambda: _insecure(control.condition(one, "Secured"), code))
        assert control.kept(one)["trouble"]["retry_at"] in secured.message
        control.ready(one, site)
        assert curl(lab_host, f"https://{domain}/", *trusted)[0] == 200
        control.remove(owner)
        control.gone(owner)


def _insecure(found: Condition | None, code: str) -> Condition | None:
    return found if found and not found.status and found.reason == code else None
