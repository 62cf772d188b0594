"""Zones on two real hosts: what the one serves the other has too, and nobody else gets it whole."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from inventories import lab
from inventories.lab import LabHost
from state import reading
from state.document import Document
from state.keeping import reveal
from state.kinds.zone_copy import copy_name
from state.resource import Secret
from state.shown import show
from state.zones.copies import copies
from state.zones.transfer_keys import renew_keys
from tests.lab.control import Control, control_plane, until
from tests.lab.pebble import pebble
from tests.lab.test_dns import record

pytestmark = pytest.mark.lab
KEPT = {"primary_ns": "ns1.example.net."}


@pytest.fixture(scope="module")
def pair(lab_var: Path) -> Iterator[tuple[LabHost, LabHost]]:
    """Two hosts that this module has to itself."""
    first, second = lab.up("test-secondaries", 2, var=lab_var)[:2]
    yield first, second
    lab.down("test-secondaries", var=lab_var)


@contextmanager
def plane(pair: tuple[LabHost, LabHost], folder: Path, **settings: object) -> Iterator[Control]:
    """A control plane in whose inventory the second host is a secondary of the first."""
    first, second = pair
    known = yaml.safe_load(first.inventory.read_text())
    known["ghostcp_hosts"]["hosts"][first.name]["ghostcp_dns_secondaries"] = [second.name]
    place = folder / "hosts.yml"
    place.write_text(yaml.safe_dump(known))
    with control_plane(first, folder, inventory=place, **settings) as control:
        yield control


def _pending(control: Control, host: LabHost) -> list[Document]:
    with control.database.reading() as connection:
        return reading.pending(connection, host.name)


def on(control: Control, host: LabHost, *argv: str) -> str:
    return replace(control, host=host).run(*argv, check=False)


def serial(control: Control, host: LabHost, zone: str) -> int | None:
    """What a host says when it is asked from outside."""
    answer = on(control, host, "dig", "+short", "+tries=1", "+time=2", f"@{host.ipv4}", zone, "SOA").split()
    return int(answer[2]) if len(answer) > 2 else None


def address(control: Control, host: LabHost, name: str) -> str:
    return on(control, host, "dig", "+short", f"@{host.ipv4}", name, "A").strip()


def copied(control: Control, zone: Document) -> Document:
    with control.database.reading() as connection:
        (copy,) = copies(connection, [zone.name])
    return copy


def key_of(control: Control, zone: Document) -> str:
    """What dig is given: algorithm, name and secret."""
    with control.database.reading() as connection:
        sealed = reading.get(connection, zone.uid).sealed
    text = reveal(control.settings.var, Secret(str(sealed), "transfer")) or ""
    name, secret = re.findall(r'"([^"]+)"', text)
    return f"hmac-sha256:{name}:{secret}"


def told(control: Control, zone: Document) -> dict[str, Any]:
    """What the zone's owner is told of its copies."""
    with control.database.reading() as connection:
        shown = show(connection, zone.uid)
    assert shown is not None
    return next((dict(each) for each in shown.conditions if each["type"] == "Copied"), {})


def test_a_zone_is_on_both_hosts_and_follows_in_parts_and_ends_on_both(
    pair: tuple[LabHost, LabHost], tmp_path: Path
) -> None:
    first, second = pair
    with plane(pair, tmp_path) as control:
        control.tenant("ada")
        with control.together():
            zone = control.create("DnsZone", "ada.test", "ada", **KEPT)
            many = [record(control, zone, f"n{n}", "A", f"192.0.2.{n}") for n in range(1, 60)]
        control.ready(zone)
        copy = copied(control, zone)
        control.ready(copy)
        assert copy.target == second.name
        known = serial(control, first, "ada.test")
        assert known
        assert serial(control, second, "ada.test") == known
        assert address(control, second, "n59.ada.test") == "192.0.2.59"
        assert told(control, zone)["status"] is True

        key = key_of(control, zone)
        whole = ("dig", f"@{first.ipv4}", "ada.test", "AXFR")
        assert "Transfer failed" in on(control, second, *whole)
        assert "Transfer failed" in on(
            control, first, "dig", f"@{second.ipv4}", "ada.test", "AXFR", "-y", key
        )
        wrong = f"{key.rpartition(':')[0]}:{'A' * 43}="
        assert "n59.ada.test." not in on(control, second, *whole, "-y", wrong)
        assert "n59.ada.test." in on(control, second, *whole, "-y", key)

        control.change(many[0], value="192.0.2.201")
        until("the change is there", lambda: address(control, first, "n1.ada.test") == "192.0.2.201")
        until(
            "the change is on the secondary",
            lambda: address(control, second, "n1.ada.test") == "192.0.2.201",
            5,
        )
        parts = on(
            control,
            second,
            "dig",
            "+noall",
            "+answer",
            f"@{first.ipv4}",
            "ada.test",
            f"IXFR={known}",
            "-y",
            key,
        )
        assert "192.0.2.201" in parts
        assert "192.0.2.1\n" in parts
        assert "n59.ada.test." not in parts
        assert serial(control, second, "ada.test") == serial(control, first, "ada.test")
        log = on(control, second, "journalctl", "-u", "named", "-o", "cat", "--no-pager")
        assert "Transfer status: success" in log

        control.remove(zone)
        control.gone(zone)
        control.gone(copy)
        assert serial(control, first, "ada.test") is None
        assert serial(control, second, "ada.test") is None
        left = "find /etc/ghostcp/live/ /var/cache/bind -name '*ada.test*'"
        assert [on(control, host, "sh", "-c", left) for host in pair] == ["", ""]


def test_a_secondary_that_is_down_holds_nobody_up_and_catches_up(
    pair: tuple[LabHost, LabHost], tmp_path: Path
) -> None:
    first, second = pair
    with plane(pair, tmp_path) as control:
        control.tenant("bea")
        zone = control.create("DnsZone", "bea.test", "bea", **KEPT)
        control.ready(zone)
        control.ready(copied(control, zone))
        on(control, second, "systemctl", "stop", "named")
        www = record(control, zone, "www", "A", "192.0.2.7")
        control.ready(www, zone, seconds=10)
        assert address(control, first, "www.bea.test") == "192.0.2.7"
        on(control, second, "systemctl", "start", "named")
        until("it has caught up", lambda: address(control, second, "www.bea.test") == "192.0.2.7")
        lab.cut(second)
        other = record(control, zone, "other", "A", "192.0.2.8")
        control.ready(other, zone, seconds=10)
        gone = control.create("DnsZone", "gone.test", "bea", **KEPT)
        control.ready(gone, seconds=10)
        lab.restore(second)
        until("it has caught up", lambda: address(control, second, "other.bea.test") == "192.0.2.8", 120)
        control.ready(copied(control, gone), copied(control, zone), seconds=120)
        for each in (zone, gone):
            copy = copied(control, each)
            control.remove(each)
            control.gone(copy)


def test_what_a_secondary_lost_is_seen_told_and_had_again(
    pair: tuple[LabHost, LabHost], tmp_path: Path
) -> None:
    first, second = pair
    with plane(pair, tmp_path, sweep_seconds=2.0) as control:
        control.tenant("cia")
        zone = control.create("DnsZone", "cia.test", "cia", **KEPT)
        control.ready(zone)
        copy = copied(control, zone)
        control.ready(copy)
        until("nothing is left to do", lambda: not _pending(control, first) + _pending(control, second))
        on(control, second, "rndc", "delzone", "cia.test")
        until("the drift is seen", lambda: control.condition(copy, "Drifted"))
        until(
            "it is repaired",
            lambda: serial(control, second, "cia.test") == serial(control, first, "cia.test"),
        )
        on(control, second, "rm", "/etc/ghostcp/live/named/cia.test.conf")
        until(
            "its configuration is back",
            lambda: on(control, second, "ls", "/etc/ghostcp/live/named/cia.test.conf"),
        )
        control.ready(copy)
        control.remove(zone)
        control.gone(copy)


def test_a_zone_that_is_put_right_under_its_serial_is_loaded_although_it_has_a_journal(
    pair: tuple[LabHost, LabHost], tmp_path: Path
) -> None:
    first, _ = pair
    with plane(pair, tmp_path, sweep_seconds=2.0) as control:
        control.tenant("dot")
        zone = control.create("DnsZone", "dot.test", "dot", **KEPT)
        control.ready(zone, record(control, zone, "www", "A", "192.0.2.1"))
        known = serial(control, first, "dot.test") or 0
        path = "/etc/ghostcp/live/named/dot.test.zone"
        for step, (before, after) in enumerate(
            (("true", "rndc reload dot.test"), ("systemctl stop named", "systemctl start named")), start=1
        ):
            wrong = f"s/192.0.2.1/192.0.2.66/; s/{known}/{known + step}/"
            script = f"{before}; sed -i '{wrong}' {path}; {after}; sleep 0.5"
            seen = "dig +short @127.0.0.1 www.dot.test A"
            assert "192.0.2.66" in on(control, first, "sh", "-c", f"{script}; {seen}")
            until("it is right again", lambda: address(control, first, "www.dot.test") == "192.0.2.1")
            assert serial(control, first, "dot.test") == known
        copy = copied(control, zone)
        until("so it is on the secondary", lambda: serial(control, pair[1], "dot.test") == known)
        assert copy_name("dot.test", pair[1].name) == copy.name
        control.remove(zone)
        control.gone(copy)


def test_a_change_is_on_both_hosts_although_its_serial_was_another_text_s_already(
    pair: tuple[LabHost, LabHost], tmp_path: Path
) -> None:
    first, second = pair
    with plane(pair, tmp_path) as control:
        control.tenant("fay")
        with control.together():
            zone = control.create("DnsZone", "fay.test", "fay", **KEPT)
            www = record(control, zone, "www", "A", "192.0.2.1")
        control.ready(zone, www)
        control.ready(copied(control, zone))

        def changed(value: str) -> None:
            nonlocal www
            www = control.change(www, value=value)
            control.ready(www, zone)
            for host in pair:
                until(
                    f"{host.name} has it",
                    lambda at=host: address(control, at, "www.fay.test") == value,
                    15,
                )

        changed("192.0.2.2")
        known = control.kept(zone)["serial"]
        edit = f"s/192.0.2.2/192.0.2.66/; s/ {known} / {known + 1} /"
        script = f"sed -i '{edit}' /etc/ghostcp/live/named/fay.test.zone; rndc reload fay.test"
        on(control, first, "sh", "-c", script)
        until("the edit is everywhere", lambda: address(control, second, "www.fay.test") == "192.0.2.66")
        changed("192.0.2.3")
        assert control.kept(zone)["serial"] == known + 2

        older = control.kept(zone)
        changed("192.0.2.4")
        control.remember(zone, serial=older["serial"], body=older["body"])
        changed("192.0.2.5")
        assert told(control, zone)["status"] is True
        control.remove(zone)
        control.gone(zone)


def test_an_authority_may_ask_the_secondary_for_what_a_zone_answers(
    pair: tuple[LabHost, LabHost], tmp_path: Path
) -> None:
    first, second = pair
    with (
        pebble(first.ipv4, tmp_path, names=f"{second.ipv4}:53", PEBBLE_VA_NOSLEEP="1") as authority,
        plane(pair, tmp_path, authorities=authority.authorities) as control,
    ):
        ute = control.tenant("ute")
        zone = control.create("DnsZone", "ute.test", "ute", **KEPT)
        control.ready(ute, zone, copied(control, zone))
        wishes = {"acme_provider": "pebble", "acme_challenge_type": "dns01", "is_wildcard": True}
        many = [control.create("Certificate", name, "ute", **wishes) for name in ("ute.test", "a.ute.test")]
        control.ready(*many, seconds=150.0)
        assert control.events("ssl.certificate.failed") == []
        control.remove(ute)
        control.gone(ute)


def test_a_key_is_renewed_on_both_hosts_and_the_old_one_is_good_for_nothing(
    pair: tuple[LabHost, LabHost], tmp_path: Path
) -> None:
    first, second = pair
    with plane(pair, tmp_path) as control:
        control.tenant("eva")
        zone = control.create("DnsZone", "eva.test", "eva", **KEPT)
        control.ready(zone)
        copy = copied(control, zone)
        control.ready(copy)
        old = key_of(control, zone)
        with control.database.writing() as connection:
            assert renew_keys(connection, control.settings.var) == 1
        new = key_of(control, zone)
        whole = ("dig", f"@{first.ipv4}", "eva.test", "AXFR", "-y")
        until("the new key is good", lambda: "ns1.example.net." in on(control, second, *whole, new))
        assert "ns1.example.net." not in on(control, second, *whole, old)
        www = record(control, zone, "www", "A", "192.0.2.5")
        control.ready(www, zone)
        until("a change is on the secondary", lambda: address(control, second, "www.eva.test") == "192.0.2.5")
        until("nothing is left to do", lambda: not _pending(control, first) + _pending(control, second))
        files = "/etc/ghostcp/live/named/private/eva.test.key"
        assert {on(control, host, "stat", "-c", "%a %U %G", files).strip() for host in pair} == {
            "640 root bind"
        }
        secret = new.rpartition(":")[2]
        assert secret in on(control, second, "cat", files)
        assert not [
            path for path in tmp_path.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()
        ]
        control.remove(zone)
        control.gone(copy)


def test_an_operators_template_names_both_name_servers(pair: tuple[LabHost, LabHost], tmp_path: Path) -> None:
    first, second = pair
    folder = tmp_path / "templates/dns/zone"
    folder.mkdir(parents=True)
    lines = (
        "@ NS ns1.example.net.",
        "@ NS ns2.example.net.",
        "{% for address in ipv4 %}",
        "@ A {{ address }}",
        "{% endfor %}",
    )
    (folder / "default.zone.j2").write_text("\n".join((*lines, "")))
    with plane(pair, tmp_path, templates=tmp_path / "templates") as control:
        control.tenant("flo")
        zone = control.create("DnsZone", "flo.test", "flo", **KEPT)
        control.ready(zone)
        copy = copied(control, zone)
        control.ready(copy)
        for host in pair:
            found = on(control, host, "dig", "+short", f"@{host.ipv4}", "flo.test", "NS").split()
            assert sorted(found) == ["ns1.example.net.", "ns2.example.net."]
        assert address(control, second, "flo.test") == first.ipv4
        control.remove(zone)
        control.gone(copy)
