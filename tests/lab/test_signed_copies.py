"""Signed zones on two real hosts: what a secondary serves validates as what its primary does."""

from pathlib import Path

import pytest

from inventories.lab import LabHost
from tests.lab.control import until
from tests.lab.test_dns import record
from tests.lab.test_dnssec import anchored
from tests.lab.test_secondaries import KEPT, address, copied, on, pair, plane, serial

pytestmark = pytest.mark.lab
__all__ = ["pair"]


def test_a_signed_zone_is_on_both_hosts_and_validates_on_both(
    pair: tuple[LabHost, LabHost], tmp_path: Path
) -> None:
    first, second = pair
    with plane(pair, tmp_path) as control:
        control.tenant("olga")
        with control.together():
            zone = control.create("DnsZone", "olga.test", "olga", dnssec_enabled=True, **KEPT)
            www = record(control, zone, "www", "A", "192.0.2.1")
        control.ready(zone, www)
        control.ready(copied(control, zone))
        for value in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
            www = control.change(www, value=value)
            control.ready(www, zone)
            until(
                "both have the same",
                lambda: serial(control, first, "olga.test") == serial(control, second, "olga.test"),
            )
            for host in pair:
                anchor = anchored(control, "olga.test", host)
                said = on(
                    control,
                    host,
                    "delv",
                    f"@{host.ipv4}",
                    "-a",
                    anchor,
                    "+root=olga.test",
                    "www.olga.test",
                    "A",
                )
                assert "; fully validated" in said
                assert value in said
        assert on(control, second, "sh", "-c", "ls /etc/ghostcp/live/named/private/dnssec 2>/dev/null") == ""


def test_a_zone_that_is_signed_afresh_is_the_same_on_both_hosts_whatever_serial_it_comes_to(
    pair: tuple[LabHost, LabHost], tmp_path: Path
) -> None:
    first, second = pair
    with plane(pair, tmp_path) as control:
        control.tenant("pia")
        with control.together():
            zone = control.create("DnsZone", "pia.test", "pia", dnssec_enabled=True, **KEPT)
            www = record(control, zone, "www", "A", "192.0.2.1")
        control.ready(zone, www)
        control.ready(copied(control, zone))

        def same() -> bool:
            return serial(control, first, "pia.test") == serial(control, second, "pia.test")

        until("both have the same", same)
        state = "/var/lib/bind/ghostcp/pia.test.zone"
        known = serial(control, second, "pia.test")
        on(control, first, "rndc", "sign", "pia.test")
        until("it was signed again", lambda: serial(control, first, "pia.test") != known)
        until("both have the same", same)
        forget = f"systemctl stop named; rm -f {state}.jnl {state}.signed {state}.signed.jnl; systemctl start named"
        on(control, first, "sh", "-c", forget)
        until("it is served", lambda: serial(control, first, "pia.test"))
        for number in range(2, 6):
            value = f"192.0.2.{number}"
            www = control.change(www, value=value)
            control.ready(www, zone)
            for host in pair:
                until(
                    f"{value} is on {host.name}",
                    lambda at=host, it=value: address(control, at, "www.pia.test") == it,
                    15,
                )
        control.remove(zone)
        control.gone(zone)
