"""DNSSEC from documents to validated answers: signed, changed, repaired, rebuilt, and switched off with care."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from inventories import lab
from state.document import Condition, Document
from state.jobs import read_log
from state.plans import ask, get_plan, pack
from tests.lab.control import Control, control_plane, until
from tests.lab.test_dns import dig, record, serial

pytestmark = pytest.mark.lab
LIVE = "/etc/ghostcp/live/named"


@contextmanager
def plane(host: lab.LabHost, folder: Path, **settings: object) -> Iterator[Control]:
    """A control plane that asks the host's own name server, and trusts that DS records are kept by nobody."""
    with control_plane(host, folder, resolvers=(host.ipv4,), ds_hold_seconds=0, **settings) as control:
        yield control


def signed(control: Control, name: str, owner: str, **values: object) -> Document:
    return control.create(
        "DnsZone", name, owner, primary_ns="ns1.example.net.", dnssec_enabled=True, **values
    )


def anchored(control: Control, zone: str, host: lab.LabHost) -> str:
    """A file on a host that has a validator trust just the key that the control plane tells of."""
    document = control.find("DnsZone", zone)
    assert document
    (key,) = document.kept["dnskey_records"]
    flags, protocol, algorithm, public = key.split()
    anchor = f'trust-anchors {{ "{zone}." static-key {flags} {protocol} {algorithm} "{public}"; }};'
    lab.exec(host, ["tee", "/tmp/anchor"], stdin=anchor, check=True)
    return "/tmp/anchor"


def validated(control: Control, zone: str, name: str, kind: str = "A") -> str:
    """What such a validator says."""
    anchor = anchored(control, zone, control.host)
    return control.run("delv", "@127.0.0.1", "-a", anchor, f"+root={zone}", name, kind)


def warned(control: Control, zone: Document, reason: str) -> Condition:
    """The zone's warning of this kind, once it is there."""

    def said() -> Condition | None:
        found = control.condition(zone, "Secured")
        return found if found and found.reason == reason else None

    return until(f"{zone.name} warns {reason}: {control.condition(zone, 'Secured')}", said)


def test_a_signed_zone_validates_and_its_ds_is_that_of_the_key_that_is_served(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    with plane(lab_host, tmp_path) as control:
        dora = control.tenant("dora")
        with control.together():
            zone = signed(control, "dora.test", "dora")
            address = record(control, zone, "www", "A", "192.0.2.1")
        control.ready(dora, zone, address)
        assert "; fully validated" in validated(control, "dora.test", "www.dora.test")
        assert "fully validated" in validated(control, "dora.test", "nobody.dora.test")
        keys = control.run("dig", "@127.0.0.1", "dora.test", "DNSKEY")
        found = control.run("dnssec-dsfromkey", "-2", "-f", "-", "dora.test", input_=keys)
        assert control.kept(zone)["ds_records"] == [found.split(None, 3)[3].strip()]
        before = serial(control, "dora.test")
        control.ready(control.change(address, value="192.0.2.2"), zone)
        assert "192.0.2.2" in validated(control, "dora.test", "www.dora.test")
        assert serial(control, "dora.test") > before
        control.remove(dora)
        control.gone(zone)
        assert "dora.test.zone" not in control.run("ls", "/var/lib/bind/ghostcp").splitlines()


def test_a_signed_zone_that_takes_the_place_of_another_at_once_has_its_own_key(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    with plane(lab_host, tmp_path) as control:
        dana = control.tenant("dana")
        zone = signed(control, "dana.test", "dana")
        control.ready(dana, zone, record(control, zone, "www", "A", "192.0.2.1"))
        before = serial(control, "dana.test")
        with control.together():
            control.remove(zone)
            other = signed(control, "dana.test", "dana")
            address = record(control, other, "www", "A", "192.0.2.2")
        control.ready(other, address)
        assert "; fully validated" in validated(control, "dana.test", "www.dana.test")
        assert dig(control, "www.dana.test", "A") == "192.0.2.2"
        assert len(dig(control, "dana.test", "DNSKEY").splitlines()) == 1
        assert serial(control, "dana.test") > before
        control.remove(dana)
        control.gone(other)


def test_a_zone_of_a_database_that_was_put_back_is_signed_with_the_key_that_it_knows(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    before = tmp_path / "before.db"
    with plane(lab_host, tmp_path) as control:
        olga = control.tenant("olga")
        zone = signed(control, "olga.test", "olga")
        control.ready(olga, zone)
        with (
            closing(sqlite3.connect(tmp_path / "ghostcp.db")) as now,
            closing(sqlite3.connect(before)) as then,
        ):
            now.backup(then)
        control.remove(zone)
        control.gone(zone)
        control.ready(signed(control, "olga.test", "olga"))
        control.stop()
        control.database.close()
        with (
            closing(sqlite3.connect(before)) as then,
            closing(sqlite3.connect(tmp_path / "ghostcp.db")) as now,
        ):
            then.backup(now)
        control.start()
        until("its own key is all", lambda: _own_key_alone(control, "olga.test"))
        assert "; fully validated" in validated(control, "olga.test", "olga.test", "SOA")
        control.remove(olga)
        control.gone(zone)


def _own_key_alone(control: Control, zone: str) -> bool:
    """Whether a zone is served with the key that it is told to have; its name server may be starting again."""
    document = control.find("DnsZone", zone)
    assert document
    told = control.run("dig", "+short", "@127.0.0.1", zone, "DNSKEY", check=False)
    wanted = ["".join(each.split()) for each in document.kept["dnskey_records"]]
    return ["".join(line.split()) for line in told.splitlines()] == wanted


def test_what_is_done_to_the_files_of_a_signed_zone_is_seen_and_repaired(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    with plane(lab_host, tmp_path, sweep_seconds=2.0) as control:
        yuri = control.tenant("yuri")
        zone = signed(control, "yuri.test", "yuri")
        control.ready(zone)
        key = control.run("sh", "-c", f"ls {LIVE}/private/dnssec/yuri.test/*/*.private").strip()
        link = "/var/lib/bind/ghostcp/yuri.test.zone"
        sums = f"find {LIVE}/private/dnssec/yuri.test -type f | sort | xargs sha256sum"
        look = f"{sums}; stat -c '%U %G %a' {key}; readlink {link}"
        before = control.run("sh", "-c", look)
        assert "root bind 640\n" in before
        for harm in (f"rm {key}", f"chmod 644 {key}; echo x >> {key}", f"rm {link}"):
            control.run("sh", "-c", harm)
            until(f"{harm} is undone", lambda: control.run("sh", "-c", look, check=False) == before)
            control.run("systemctl", "restart", "named")
            address = record(control, zone, "www", "A", "192.0.2.3")
            control.ready(address, zone)
            assert "192.0.2.3" in validated(control, "yuri.test", "www.yuri.test")
            control.remove(address)
            control.gone(address)
        drifted = control.condition(zone, "Drifted")
        assert drifted
        assert drifted.reason == "Repaired"
        with control.database.reading() as connection:
            jobs = [*control.jobs("sweep"), *control.jobs()]
            told = [line for job in jobs for _, line in read_log(connection, job.id)]
        assert any(key.rpartition("/")[2] in line and "is missing" in line for line in told)
        assert "PrivateKey" not in "".join(told)
        control.remove(yuri)
        control.gone(yuri)


def test_a_change_is_served_although_somebody_gave_its_serial_to_an_edit_by_hand(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    with plane(lab_host, tmp_path) as control:
        tess = control.tenant("tess")
        zone = signed(control, "tess.test", "tess")
        address = record(control, zone, "www", "A", "192.0.2.1")
        control.ready(zone, address)
        for value in ("192.0.2.2", "192.0.2.3"):
            known = control.kept(zone)["serial"]
            edit = f"s/192.0.2.[0-9]*/192.0.2.66/; s/ {known} / {known + 1} /; $ a by-hand 60 IN A 192.0.2.66"
            control.run("sh", "-c", f"sed -i '{edit}' {LIVE}/tess.test.zone; rndc reload")
            until("the edit is served", lambda: "192.0.2.66" in dig(control, "by-hand.tess.test", "A"))
            before = serial(control, "tess.test")
            address = control.change(address, value=value)
            control.ready(address, zone)
            assert dig(control, "www.tess.test", "A").split() == [value]
            assert dig(control, "by-hand.tess.test", "A") == ""
            assert "; fully validated" in validated(control, "tess.test", "www.tess.test")
            assert before < control.kept(zone)["serial"] <= serial(control, "tess.test")
        older = control.kept(zone)
        address = control.change(address, value="192.0.2.4")
        control.ready(address, zone)
        control.remember(zone, serial=older["serial"], body=older["body"])
        address = control.change(address, value="192.0.2.5")
        control.ready(address, zone)
        assert dig(control, "www.tess.test", "A").split() == ["192.0.2.5"]
        control.remove(tess)
        control.gone(tess)


def test_keys_survive_a_rebuild_of_the_host(lab_var: Path, tmp_path: Path) -> None:
    (host,) = lab.up("rebuilt", 1, var=lab_var)
    with plane(host, tmp_path, sweep_seconds=2.0) as control:
        control.tenant("xeno")
        zone = signed(control, "xeno.test", "xeno")
        address = record(control, zone, "www", "A", "192.0.2.3")
        control.ready(zone, address)
        keys, told = dig(control, "xeno.test", "DNSKEY"), control.kept(zone)["ds_records"]
        lab.down("rebuilt", var=lab_var)
        (control.host,) = lab.up("rebuilt", 1, var=lab_var)
        until("it is served again", lambda: dig(control, "xeno.test", "SOA"))
        control.ready(zone)
        assert dig(control, "xeno.test", "DNSKEY") == keys
        assert control.kept(zone)["ds_records"] == told
        assert "192.0.2.3" in validated(control, "xeno.test", "www.xeno.test")
    lab.down("rebuilt", var=lab_var)


def test_a_zone_stays_signed_as_long_as_the_zone_above_publishes_its_ds(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    with plane(lab_host, tmp_path, sweep_seconds=1.0) as control:
        wilma = control.tenant("wilma")
        above = control.create("DnsZone", "above.test", "wilma", primary_ns="ns1.example.net.")
        zone = signed(control, "wilma.above.test", "wilma")
        control.ready(zone, above)
        with control.together():
            servers = record(control, above, "wilma", "NS", "ns1.example.net.")
            ds = record(control, above, "wilma", "DS", control.kept(zone)["ds_records"][0], ttl=1)
        control.ready(ds, servers, above)
        assert foreseen(control, zone, dnssec_enabled=False) == ["DsPublished"]
        assert "above" not in control.kept(zone)
        zone = control.change(zone, dnssec_enabled=False)
        control.ready(zone)
        assert control.kept(zone)["ds_records"][0] in warned(control, zone, "DsPublished").message
        assert "; fully validated" in validated(control, "wilma.above.test", "wilma.above.test", "SOA")
        assert dig(control, "wilma.above.test", "CDS") == dig(control, "wilma.above.test", "CDNSKEY") == ""
        before = serial(control, "wilma.above.test")
        control.remove(ds)
        until("it is unsigned", lambda: not dig(control, "wilma.above.test", "DNSKEY"))
        control.ready(zone)
        until("its DS is offered no more", lambda: "ds_records" not in control.kept(zone))
        assert serial(control, "wilma.above.test") > before
        assert "RRSIG" not in control.run("dig", "+dnssec", "@127.0.0.1", "wilma.above.test", "SOA")
        warned(control, zone, "NotWanted")
        control.remove(wilma)
        control.gone(wilma)


def foreseen(control: Control, zone: Document, **values: object) -> list[str]:
    """What a dry run warns of when these values of a zone were others."""
    changed = replace(zone, spec=zone.spec.model_copy(update=values), generation=zone.generation + 1)
    with control.database.writing() as connection:
        asked = ask(connection, "admin", {"overlay": [pack(changed)]}, {})

    def answered() -> list[str] | None:
        with control.database.reading() as connection:
            plan = get_plan(connection, asked)
        parts = plan.report["targets"] if plan.report else None
        return None if parts is None else [each["reason"] for part in parts for each in part["warnings"]]

    found: list[str] = until("the dry run is answered", answered)
    return found


def test_a_zone_above_that_is_not_ours_is_asked_over_the_dns(lab_host: lab.LabHost, tmp_path: Path) -> None:
    with plane(lab_host, tmp_path, sweep_seconds=1.0) as control:
        viola = control.tenant("viola")
        zone = signed(control, "viola.foreign.test", "viola")
        control.ready(zone)
        (ds,) = control.kept(zone)["ds_records"]
        with foreign(control, f"viola 1 IN NS ns1.example.net.\nviola 1 IN DS {ds}\n"):
            zone = control.change(zone, dnssec_enabled=False)
            assert ds in warned(control, zone, "DsPublished").message
        warned(control, zone, "DsUnknown")
        assert "; fully validated" in validated(control, "viola.foreign.test", "viola.foreign.test", "SOA")
        control.change(zone, ds_ignored=True)
        until("it is unsigned", lambda: not dig(control, "viola.foreign.test", "DNSKEY"))
        control.remove(viola)
        control.gone(viola)


@contextmanager
def foreign(control: Control, lines: str, name: str = "foreign.test") -> Iterator[None]:
    """A zone that is served here and is none of ours."""
    text = f"@ 1 IN SOA a. b. 1 60 60 60 1\n@ 1 IN NS ns1.example.net.\n{lines}"
    control.run("tee", f"/etc/bind/{name}", input_=text)
    options = f'zone "{name}" {{ type primary; file "/etc/bind/{name}"; }};\n'
    before = control.run("cat", "/etc/bind/named.conf.local")
    control.run("tee", "-a", "/etc/bind/named.conf.local", input_=options)
    control.run("rndc", "reconfig")
    try:
        yield
    finally:
        control.run("tee", "/etc/bind/named.conf.local", input_=before)
        control.run("rndc", "reconfig")
