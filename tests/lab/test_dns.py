"""From documents to answers of a real name server: with dig, on a real host."""

from pathlib import Path

import pytest
from sqlalchemy import update

from inventories import lab
from state import store
from state.document import Document
from state.kinds import KINDS
from state.tables import documents
from tests.lab.control import Control, control_plane, until

pytestmark = pytest.mark.lab
RIGHT = {
    "A": ("192.0.2.7", "192.0.2.7"),
    "AAAA": ("2001:db8::7", "2001:db8::7"),
    "CNAME": ("www", "www.zoe.test."),
    "MX": ("mx.example.net.", "10 mx.example.net."),
    "TXT": ("x" * 300, f'"{"x" * 255}" "{"x" * 45}"'),
    "SRV": ("5 5060 sip.example.net.", "10 5 5060 sip.example.net."),
    "CAA": ('0 issue "ca.example"', '0 issue "ca.example"'),
    "PTR": ("host.example.net.", "host.example.net."),
    "TLSA": ("3 1 1 " + "ab" * 32, "3 1 1 " + "AB" * 28 + " " + "AB" * 4),
    "SSHFP": ("4 2 " + "cd" * 32, "4 2 " + "CD" * 28 + " " + "CD" * 4),
    "NAPTR": ('100 10 "S" "SIP+D2U" "" sip.example.net.', '100 10 "S" "SIP+D2U" "" sip.example.net.'),
    "HTTPS": ("1 . alpn=h2", '1 . alpn="h2"'),
    "SVCB": ("1 dot.example.net. port=853", "1 dot.example.net. port=853"),
}


def record(control: Control, zone: Document, name: str, kind: str, value: str, **more: object) -> Document:
    told = {"name": name, "record_type": kind, "value": value, **more}
    with control._writing(lambda: zone.target) as connection:
        return store.create(connection, KINDS["DnsRecord"], "", zone.owner, told, actor="test", whole=zone)


def dig(control: Control, name: str, kind: str) -> str:
    return control.run("dig", "+short", "@127.0.0.1", name, kind).strip()


def serial(control: Control, zone: str) -> int:
    return int(dig(control, zone, "SOA").split()[2])


def test_every_type_is_answered_and_a_change_is_a_larger_serial(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    with control_plane(lab_host, tmp_path) as control:
        zoe = control.tenant("zoe")
        zone = control.create("DnsZone", "zoe.test", "zoe", primary_ns="ns1.example.net.")
        with control.together():
            made = [
                record(
                    control,
                    zone,
                    f"t-{kind.lower()}",
                    kind,
                    value,
                    **({"priority": 10} if kind in {"MX", "SRV"} else {}),
                )
                for kind, (value, _) in RIGHT.items()
            ]
        control.ready(zoe, zone, *made)
        found = {kind: dig(control, f"t-{kind.lower()}.zoe.test", kind) for kind in RIGHT}
        found["CNAME"] = found["CNAME"].splitlines()[0]
        assert found == {kind: text for kind, (_, text) in RIGHT.items()}
        assert dig(control, "zoe.test", "NS") == "ns1.example.net."
        before = serial(control, "zoe.test")
        changed = control.change(made[0], value="192.0.2.8")
        control.ready(changed, zone)
        assert dig(control, "t-a.zoe.test", "A") == "192.0.2.8"
        assert serial(control, "zoe.test") == before + 1
        control.remove(changed)
        control.gone(changed)
        assert dig(control, "t-a.zoe.test", "A") == ""
        assert "version" not in dig(control, "version.bind", "TXT").lower()
        control.remove(zone)
        control.gone(zone)
        assert dig(control, "zoe.test", "SOA") == ""
        control.remove(zoe)
        control.gone(zoe)


def test_a_bad_record_that_was_forced_in_is_left_out_and_all_else_is_served(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    with control_plane(lab_host, tmp_path) as control:
        yan = control.tenant("yan")
        with control.together():
            zone = control.create("DnsZone", "yan.test", "yan", primary_ns="ns1.example.net.")
            other = control.create("DnsZone", "other.test", "yan", primary_ns="ns1.example.net.")
            good = record(control, zone, "good", "A", "192.0.2.1")
            bad = record(control, zone, "bad", "A", "192.0.2.2")
        control.ready(yan, zone, other, good, bad)
        forced = {**bad.spec.model_dump(), "value": '192.0.2.2"; }; nonsense\n@ NS evil.'}
        with control.database.writing() as connection:
            row = documents.c.uid.in_([bad.uid, zone.uid])
            connection.execute(update(documents).where(documents.c.uid == bad.uid).values(spec=forced))
            connection.execute(
                update(documents).where(row).values(pending=True, wanted=documents.c.wanted + 1)
            )
        told = control.says(bad, "Invalid")
        assert "not served" in told.message
        assert [dig(control, f"{name}.yan.test", "A") for name in ("good", "bad")] == ["192.0.2.1", ""]
        assert dig(control, "other.test", "NS") == "ns1.example.net."
        control.ready(zone, good, other)


def test_drift_is_repaired_and_a_killed_name_server_serves_what_is_live(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    with control_plane(lab_host, tmp_path, sweep_seconds=2.0) as control:
        control.tenant("xia")
        zone = control.create("DnsZone", "xia.test", "xia", primary_ns="ns1.example.net.")
        control.ready(zone)
        path = "/etc/ghostcp/live/named/xia.test.zone"
        text = control.run("cat", path)
        control.run("sh", "-c", f"echo 'x 60 IN A 192.0.2.9' >> {path}; systemctl kill -s KILL named")
        until("the zone is repaired", lambda: control.run("cat", path) == text)
        address = record(control, zone, "www", "A", "192.0.2.3")
        control.ready(address, zone, seconds=30)
        assert dig(control, "www.xia.test", "A") == "192.0.2.3"
        assert dig(control, "x.xia.test", "A") == ""


def test_a_zone_that_a_running_name_server_lost_is_missed_and_had_again(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    with control_plane(lab_host, tmp_path, sweep_seconds=2.0) as control:
        control.tenant("wim")
        with control.together():
            zone = control.create("DnsZone", "wim.test", "wim", primary_ns="ns1.example.net.")
            signed = control.create(
                "DnsZone", "sig.test", "wim", primary_ns="ns1.example.net.", dnssec_enabled=True
            )
        control.ready(zone, signed)
        place = "/var/lib/bind/ghostcp/sig.test.zone"
        file = "/etc/ghostcp/live/named/wim.test.zone"
        for lost, harm in (
            (zone, "rndc delzone wim.test"),
            (zone, f"mv {file} /tmp/away; systemctl restart named; mv /tmp/away {file}"),
            (signed, f"systemctl stop named; rm {place}*; systemctl start named"),
        ):
            control.run("sh", "-c", harm)
            assert dig(control, lost.name, "SOA") == ""
            until("the drift is told", lambda lost=lost: control.condition(lost, "Drifted"))
            until("it is served again", lambda lost=lost: dig(control, lost.name, "SOA"))
            control.ready(zone, signed)
        for each in (zone, signed):
            control.remove(each)
            control.gone(each)


def test_a_template_of_the_operator_s_is_followed_and_what_one_writes_stays(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    template = tmp_path / "templates/dns/zone/house.zone.j2"
    template.parent.mkdir(parents=True)
    first = "@ NS {{ primary_ns }}\n@ MX 10 mx.example.net.\nwww A 192.0.2.50\nftp A 192.0.2.50\n@ TXT one\n"
    template.write_text(first)
    with control_plane(lab_host, tmp_path, sweep_seconds=1.0, templates=template.parents[2]) as control:
        control.tenant("tom")
        more = {"primary_ns": "ns1.example.net.", "template": "house"}
        with control.together():
            zone = control.create("DnsZone", "house.test", "tom", **more)
            other = control.create("DnsZone", "plain.test", "tom", primary_ns="ns1.example.net.")
            clash = record(control, zone, "www", "A", "192.0.2.99")
            same = record(control, zone, "@", "MX", "mx.example.net.", priority=10)
            alias = record(control, zone, "ftp", "CNAME", "www")
        control.ready(zone, other, clash, same, alias)

        def answers() -> dict[str, str]:
            asked = {"www.house.test": "A", "ftp.house.test": "CNAME", "house.test": "MX"}
            return {kind: dig(control, name, kind) for name, kind in asked.items()}

        mine = {"A": "192.0.2.99", "CNAME": "www.house.test.", "MX": "10 mx.example.net."}
        assert answers() == mine
        assert dig(control, "house.test", "TXT") == '"one"'
        template.write_text(first.replace("one", "two").replace("mx.", "mx2.").replace(".50", ".51"))
        until("the zone follows its template", lambda: dig(control, "house.test", "TXT") == '"two"')
        assert answers() == mine
        for wrong, reason in (
            ("@ NS {{ primary_ns }}\n@ TXT {{ absent }}\n", "CompileFailed"),
            ("@ NS {{ primary_ns }}\n@ A nonsense\n", "CompileFailed"),
            ("@ NS {{ primary_ns }}\n_dns SVCB 1 . port=5\n", "Misplaced"),
            ("@ NS {{ primary_ns }}\n@ NS inside\n", "GlueMissing"),
        ):
            template.write_text(wrong)
            told = control.says(zone, reason)
            assert "template" in told.message or "absent" in told.message
            assert dig(control, "house.test", "TXT") == '"two"'
            assert answers() == mine
        added = record(control, other, "more", "A", "192.0.2.7")
        control.ready(added, other)
        assert dig(control, "more.plain.test", "A") == "192.0.2.7"
        template.unlink()
        assert "no dns/zone template 'house'" in control.says(zone, "TemplateMissing").message
        assert answers() == mine
        server = record(control, zone, "@", "NS", "ns1.example.net.")
        changed = control.change(zone, template="none")
        control.ready(changed, server, clash, same, alias)
        assert answers() == mine
        assert dig(control, "house.test", "TXT") == ""
        changed = control.change(changed, template="mail")
        control.ready(changed)
        assert answers() == mine
        assert "v=spf1" in dig(control, "house.test", "TXT")
