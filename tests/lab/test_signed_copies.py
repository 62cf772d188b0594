"""Signed zones on two real hosts: what a secondary serves validates as what its primary does."""

from pathlib import Path

import pytest

from inventories.lab import LabHost
from tests.lab.control import until
from tests.lab.test_dns import record
from tests.lab.test_dnssec import anchored
from tests.lab.test_secondaries import KEPT, copied, on, pair, plane, serial

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
            address = record(control, zone, "www", "A", "192.0.2.1")
        control.ready(zone, address)
        control.ready(copied(control, zone))
        for value in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
            address = control.change(address, value=value)
            control.ready(address, zone)
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
