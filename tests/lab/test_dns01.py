"""Certificates that are had by dns-01: a real authority asks the name server of the host."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from inventories import lab
from state.certificates.tables import acme_challenges
from state.document import Document
from tests.lab.control import Control, control_plane, until
from tests.lab.doors import GHOSTCP
from tests.lab.pebble import pebble
from tests.lab.test_dns import dig, record, serial
from tests.lab.test_dnssec import foreign
from tests.lab.tls import curl

pytestmark = pytest.mark.lab
LONG = 150.0
TITLE = "_acme-challenge"


def _zone(control: Control, name: str, owner: str) -> Document:
    return control.create("DnsZone", name, owner, primary_ns="ns1.example.net.")


@contextmanager
def _worker(control: Control) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that is a process of its own, dead at the end."""
    told = {
        "GHOSTCP_VAR": str(control.settings.var),
        "GHOSTCP_DATABASE_URL": control.database.url,
        "GHOSTCP_INVENTORY": str(control.host.inventory),
        "GHOSTCP_AUTHORITIES": str(control.settings.authorities),
    }
    with (control.settings.var / "worker.log").open("ab") as log:
        process = subprocess.Popen([*GHOSTCP, "worker"], env={**os.environ, **told}, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _answered(control: Control) -> list[str]:
    with control.database.reading() as connection:
        return list(connection.execute(select(acme_challenges.c.value)).scalars())


def _nothing_left(control: Control, *zones: str) -> None:
    """No zone answers an authority any more, in the database and at the name server."""

    def answered() -> list[str]:
        return [
            *_answered(control),
            *filter(None, (dig(control, f"{TITLE}.{zone}", "TXT") for zone in zones)),
        ]

    until("no answer is left", lambda: not answered())


def test_zone_site_and_wildcard_are_had_in_one_go_and_leave_nothing_behind(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    with (
        pebble(lab_host.ipv4, tmp_path, names=f"{lab_host.ipv4}:53") as authority,
        control_plane(lab_host, tmp_path, authorities=authority.authorities) as control,
        foreign(control, f"@ 1 IN A {lab_host.ipv4}\n", "uma.example"),
    ):
        wishes = {
            "letsencrypt_enabled": True,
            "letsencrypt_wildcard": True,
            "ssl_enabled": True,
            "ssl_force": True,
        }
        with control.together():
            uma = control.tenant("uma")
            site = control.site("uma.test", "uma", aliases=["*.uma.test", "uma.example"], **wishes)
            zone = _zone(control, "uma.test", "uma")
            mine = record(control, zone, TITLE, "TXT", "a text of my own")
        trusted = ("--cacert", str(authority.root()))
        for name in ("uma.test", "any.uma.test", "uma.example"):
            until(
                f"{name} is secured", lambda n=name: curl(lab_host, f"https://{n}/", *trusted)[0] == 200, LONG
            )
        control.ready(uma, site, zone, mine)
        assert dig(control, f"{TITLE}.uma.test", "TXT") == '"a text of my own"'
        before = serial(control, "uma.test")
        assert _answered(control) == []
        assert [job.status for job in control.jobs("ssl_issue")] == ["completed"]
        assert {d["names"][0] for d in [control.kept(control.find("Certificate", "uma.test"))]} == {
            "uma.test"
        }
        control.ready(
            control.change(site, aliases=["*.uma.test", "uma.example", "shop.uma.test"], ssl_hsts=True)
        )
        assert len(control.jobs("ssl_issue")) == 1
        assert serial(control, "uma.test") == before
        control.remove(uma)
        control.gone(uma)


def test_many_orders_for_one_zone_do_not_disturb_each_other(lab_host: lab.LabHost, tmp_path: Path) -> None:
    with (
        pebble(lab_host.ipv4, tmp_path, names=f"{lab_host.ipv4}:53") as authority,
        control_plane(lab_host, tmp_path, authorities=authority.authorities) as control,
    ):
        with control.together():
            rut = control.tenant("rut")
            _zone(control, "rut.test", "rut")
            values = {"acme_provider": "pebble", "acme_challenge_type": "dns01", "is_wildcard": True}
            many = [
                control.create("Certificate", f"{word}.rut.test", "rut", **values)
                for word in ("a", "b", "c", "d")
            ]
            one = control.create("Certificate", "rut.test", "rut", **values)
        control.ready(*many, one, seconds=LONG)
        assert set(control.kept(many[0])["names"]) == {"a.rut.test", "*.a.rut.test"}
        _nothing_left(control, "rut.test", "a.rut.test")
        control.remove(rut)
        control.gone(rut)


def test_what_cannot_be_answered_says_why_and_goes_on_when_it_can(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    with (
        pebble(lab_host.ipv4, tmp_path, names=f"{lab_host.ipv4}:53") as authority,
        control_plane(lab_host, tmp_path, authorities=authority.authorities) as control,
    ):
        nil = control.tenant("nil")
        values = {"acme_provider": "pebble", "acme_challenge_type": "dns01"}
        alone = control.create("Certificate", "nil.test", "nil", **values, san_domains=["x.nil.test"])
        assert "no zone of nil" in control.says(alone, "NotServedHere").message
        assert [job.status for job in control.jobs("ssl_issue")] == ["failed"]
        with control.together():
            zone = _zone(control, "nil.test", "nil")
            led = record(control, zone, f"{TITLE}.x", "CNAME", "elsewhere.example.net.")
        control.ready(alone, led, zone, seconds=LONG)
        left = control.kept(alone)["left_out"]
        assert "leads to elsewhere.example.net." in left["x.nil.test"]["message"]
        control.remove(led)
        control.gone(led)
        control.remember(alone, left_out=None)
        until("the other name too", lambda: "x.nil.test" in control.kept(alone)["names"], LONG)
        _nothing_left(control, "nil.test", "x.nil.test")
        control.remove(nil)
        control.gone(nil)


def test_a_worker_that_is_killed_in_the_middle_of_an_order_leaves_no_answer_and_no_gap(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    with (
        pebble(lab_host.ipv4, tmp_path, names=f"{lab_host.ipv4}:53") as authority,
        control_plane(lab_host, tmp_path, authorities=authority.authorities, worker=False) as control,
    ):
        with _worker(control):
            until("the worker knows the host", control._known)
            with control.together():
                kai = control.tenant("kai")
                zone = _zone(control, "kai.test", "kai")
                values = {"acme_provider": "pebble", "acme_challenge_type": "dns01", "is_wildcard": True}
                one = control.create("Certificate", "kai.test", "kai", **values)
            until("answers are asked for", lambda: _answered(control))
        with _worker(control):
            first = set(_answered(control))
            until("others are served", lambda: _served(control, "kai.test") - first, LONG)
        assert [job.status for job in control.jobs("ssl_issue")] == ["running"]
        assert _served(control, "kai.test")
        control.remove(one)
        gone = control.create("Certificate", "other.kai.test", "kai", **values)
        control.start()
        control.gone(one)
        control.ready(kai, zone, gone, seconds=LONG)
        _nothing_left(control, "kai.test", "other.kai.test")
        again = control.create("Certificate", "kai.test", "kai", **values)
        control.ready(again, seconds=LONG)
        _nothing_left(control, "kai.test")
        assert {job.status for job in control.jobs("ssl_issue")} <= {"completed", "failed"}
        control.remove(kai)
        control.gone(kai)


def _served(control: Control, zone: str) -> set[str]:
    return set(dig(control, f"{TITLE}.{zone}", "TXT").replace('"', "").split())
