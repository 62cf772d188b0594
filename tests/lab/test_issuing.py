"""Certificates that a real authority issues after it has asked the host."""

from pathlib import Path

import pytest

from inventories import lab
from state.document import Document
from tests.lab.control import Control, control_plane, until
from tests.lab.pebble import pebble
from tests.lab.tls import curl

pytestmark = pytest.mark.lab
LONG = 120.0
EAB = {"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}


def _certificate(control: Control, name: str, owner: str, **values: object) -> Document:
    return control.create("Certificate", name, owner, acme_provider="pebble", **values)


def test_a_site_and_its_certificate_are_had_in_one_go_and_one_bad_name_harms_no_other(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    with (
        pebble(lab_host.ipv4, tmp_path) as authority,
        control_plane(lab_host, tmp_path, authorities=authority.authorities) as control,
    ):
        authority.resolve("bad.issued.test")
        ida = control.tenant("ida")
        wishes = {"ssl_enabled": True, "ssl_force": True}
        with control.together():
            site = control.site(
                "issued.test", "ida", aliases=["www.issued.test", "bad.issued.test"], **wishes
            )
            names = ["www.issued.test", "bad.issued.test", "elsewhere.test"]
            one = _certificate(control, "issued.test", "ida", san_domains=names)
        control.ready(ida, site)
        control.ready(one, seconds=LONG)
        trusted = ("--cacert", str(authority.root()))
        for name in ("issued.test", "www.issued.test"):
            until(f"{name} is secured", lambda n=name: curl(lab_host, f"https://{n}/", *trusted)[0] == 200)
        assert curl(lab_host, "http://www.issued.test/")[0] == 301
        assert curl(lab_host, "http://bad.issued.test/")[0] == 200
        jobs = control.jobs("ssl_issue")
        assert [job.status for job in jobs] == ["completed"]
        left = control.kept(one)["left_out"]
        assert set(left) == {"bad.issued.test", "elsewhere.test"}
        assert "no site of ida" in left["elsewhere.test"]["message"]
        assert control.events("ssl.certificate.issued") == ["issued.test"]

        authority.resolve("bad.issued.test", lab_host.ipv4)
        control.remember(one, left_out=None)
        until(
            "the other name is secured",
            lambda: curl(lab_host, "https://bad.issued.test/", *trusted)[0] == 200,
            LONG,
        )
        control.remove(ida)
        control.gone(ida)


@pytest.mark.parametrize("there", [False, True], ids=["made", "switched on"])
def test_one_that_is_asked_for_before_its_site_is_served_is_had_when_it_is(
    lab_host: lab.LabHost, tmp_path: Path, there: bool
) -> None:
    with (
        pebble(lab_host.ipv4, tmp_path, PEBBLE_VA_NOSLEEP="1") as authority,
        control_plane(lab_host, tmp_path, authorities=authority.authorities) as control,
    ):
        eva = control.tenant("eva")
        site = control.site("eva.test", "eva", ssl_enabled=True, is_active=False) if there else None
        one = _certificate(control, "eva.test", "eva", san_domains=["www.eva.test"])
        assert "make one" in control.says(one, "NotServedHere").message
        site = (
            control.change(site, is_active=True)
            if site
            else control.site("eva.test", "eva", ssl_enabled=True)
        )
        control.ready(one)
        assert set(control.kept(one)["left_out"]) == {"www.eva.test"}
        control.change(site, aliases=["www.eva.test"])
        names = ["eva.test", "www.eva.test"]
        until("it is for the other name", lambda: control.kept(one)["names"] == names)
        control.remove(eva)
        control.gone(eva)


def test_a_site_that_wants_one_has_it_follows_its_aliases_and_is_renewed_in_time(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    with (
        pebble(
            lab_host.ipv4,
            tmp_path,
            eab={"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"},
        ) as authority,
        control_plane(lab_host, tmp_path, authorities=authority.authorities, sweep_seconds=3.0) as control,
    ):
        ove = control.tenant("ove")
        wishes = {"ssl_enabled": True, "ssl_force": True, "ssl_hsts": True, "letsencrypt_enabled": True}
        site = control.site("ove.test", "ove", aliases=["www.ove.test"], **wishes)
        trusted = ("--cacert", str(authority.root()))
        until("it is secured", lambda: curl(lab_host, "https://www.ove.test/", *trusted)[0] == 200, LONG)
        one = control.find("Certificate", "ove.test")
        assert one is not None

        site = control.change(site, aliases=["www.ove.test", "shop.ove.test"])
        until("the old name still", lambda: curl(lab_host, "https://www.ove.test/", *trusted)[0] == 200, 5.0)
        until("the new name too", lambda: curl(lab_host, "https://shop.ove.test/", *trusted)[0] == 200, LONG)
        control.ready(control.change(site, aliases=["shop.ove.test"]))
        control.ready(one)
        assert control.events("ssl.certificate.issued") == ["ove.test", "ove.test"]

        before = control.kept(one)["fingerprint"]
        control.remember(one, renew_at="2026-01-01T00:00:00Z", had_at=None)
        until("it is renewed", lambda: control.kept(one)["fingerprint"] != before, LONG)
        until("the event is told", lambda: control.events("ssl.certificate.renewed") == ["ove.test"])
        control.settled(one)
        assert curl(lab_host, "https://shop.ove.test/", *trusted)[0] == 200

        control.remove(site)
        control.gone(site)
        assert control.find("Certificate", "ove.test") is None
        control.remove(ove)
        control.gone(ove)


def test_many_are_had_at_once_whatever_their_sites_do(lab_host: lab.LabHost, tmp_path: Path) -> None:
    with (
        pebble(lab_host.ipv4, tmp_path) as authority,
        control_plane(lab_host, tmp_path, authorities=authority.authorities) as control,
    ):
        mia = control.tenant("mia")
        sorts = [
            {},
            {"proxy_template": "app-socket"},
            {"is_suspended": True},
            {"backend_template": "PHP-8.4"},
        ]
        with control.together():
            for number in range(24):
                values = {
                    "letsencrypt_enabled": True,
                    "ssl_enabled": True,
                    "ssl_force": True,
                    **sorts[number % 4],
                }
                control.site(f"many{number}.test", "mia", **values)
        trusted = ("--cacert", str(authority.root()))
        until("all are had", lambda: len(control.events("ssl.certificate.issued")) == 24, LONG)
        for number in range(4):
            code = (
                503 if "is_suspended" in sorts[number] else 502 if "proxy_template" in sorts[number] else 200
            )
            url = f"https://many{number}.test/"
            until(f"{url} is secured", lambda u=url, c=code: curl(lab_host, u, *trusted)[0] == c)
        control.remove(mia)
        control.gone(mia)


def test_an_authority_that_is_down_is_told_of_and_asked_again_when_somebody_says_so(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    with pebble(lab_host.ipv4, tmp_path) as authority:
        authority.stop()
        with control_plane(lab_host, tmp_path, authorities=authority.authorities) as control:
            kim = control.tenant("kim")
            site = control.site("kim.test", "kim", ssl_enabled=True)
            one = _certificate(control, "kim.test", "kim")
            control.says(one, "AuthorityDown")
            control.ready(site)
            assert curl(lab_host, "http://kim.test/")[0] == 200
            assert control.events("ssl.certificate.failed") != []
            tries = control.kept(one)["trouble"]["tries"]
            assert tries == 1
            authority.start()
            control.remember(one, trouble=None)
            control.ready(one, seconds=LONG)
            trusted = ("--cacert", str(authority.root()))
            until("it is secured", lambda: curl(lab_host, "https://kim.test/", *trusted)[0] == 200)
            control.remove(kim)
            control.gone(kim)
