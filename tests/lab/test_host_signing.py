"""Signed zones on a real host: named signs with the key that comes with a zone, and what it signs validates."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from state import resource
from state.dns.keys import ZoneKey, delegation, dnskey, file_stem, known_key, make_key, public_files
from state.resource import Resource, Secret
from tests.lab.control import until
from tests.lab.test_host_configs import statuses
from tests.lab.test_host_zones import zone
from tests.playbooks.remote import Hands, change, hands

pytestmark = pytest.mark.lab
LIVE, PLACE = "/etc/ghostcp/live/named", "/var/lib/bind/ghostcp"


@pytest.fixture(scope="module")
def host() -> Iterator[Hands]:
    with hands("hostsigning") as found:
        yield found


class Signed:
    """A zone with a key of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        kept, self._private = make_key(datetime.now(UTC))
        self.key: ZoneKey = known_key(kept)  # type: ignore[assignment]
        self.place = resource.signing(name, f"{LIVE}/{name}.zone")

    @property
    def keys(self) -> list[Resource]:
        stem = f"{self.name}/{self.key.tag}/{file_stem(self.name, self.key)}"
        files = public_files(self.name, self.key).items()
        told = [resource.config("named", f"private/dnssec/{stem}.{ending}", text) for ending, text in files]
        secret = Secret("", "")
        hidden = resource.private_config(
            "named", f"dnssec/{stem}.private", secret, self.key.checksum, group="bind"
        )
        return [*told, hidden._replace(content=self._private)]

    @property
    def options(self) -> Resource:
        keys = f'key-directory "{LIVE}/private/dnssec/{self.name}/{self.key.tag}"; dnssec-policy "ghostcp";'
        text = f'zone "{self.name}" {{ type primary; file "{PLACE}/{self.name}.zone"; {keys} }};\n'
        return resource.config("named", f"{self.name}.conf", text)

    def at(self, serial: int, *lines: str) -> list[Resource]:
        return [self.place, *self.keys, zone(self.name, serial, *lines), self.options]


def start(host: Hands, name: str) -> int:
    return int(host.run("dig", "+short", "@127.0.0.1", name, "SOA").split()[2])


def delv(host: Hands, zone: Signed, name: str, kind: str) -> str:
    """What a validator that trusts the zone's key alone says."""
    anchor = " ".join(dnskey(zone.key).split()[:3])
    text = f'trust-anchors {{ "{zone.name}." static-key {anchor} "{zone.key.public}"; }};'
    host.run("tee", "/tmp/anchor", stdin=text)
    return host.run("delv", "@127.0.0.1", "-a", "/tmp/anchor", f"+root={zone.name}", name, kind)


def test_a_zone_is_signed_with_its_key_and_validates_when_the_answer_comes(host: Hands) -> None:
    zoe = Signed("zoe.test")
    response = host.make(
        *zoe.at(1, "www 60 IN A 192.0.2.1", *(f"h{n} 60 IN A 192.0.2.2" for n in range(3000)))
    )
    assert set(statuses(response)) == {"applied"}
    assert "; fully validated" in delv(host, zoe, "www.zoe.test", "A")
    assert "; negative response, fully validated" in delv(host, zoe, "nobody.zoe.test", "A")
    served = host.run("dig", "@127.0.0.1", "zoe.test", "DNSKEY")
    found = host.run("dnssec-dsfromkey", "-2", "-f", "-", "zoe.test", stdin=served)
    assert found.split(None, 3)[3].strip() == delegation("zoe.test", zoe.key)
    assert host.run("dig", "+short", "@127.0.0.1", "zoe.test", "CDS").split()[:3] == [
        str(zoe.key.tag),
        "13",
        "2",
    ]


def test_each_change_is_a_larger_serial_and_is_there_when_the_answer_comes(host: Hands) -> None:
    yan = Signed("yan.test")
    seen = []
    for serial in range(1, 6):
        host.make(*yan.at(serial, f"www 60 IN A 192.0.2.{serial}"))
        assert f"192.0.2.{serial}\n" in delv(host, yan, "www.yan.test", "A").replace("\t", " ")
        seen.append(start(host, "yan.test"))
    assert seen == sorted(set(seen))


def test_a_zone_that_goes_back_is_what_it_was_under_a_larger_serial(host: Hands) -> None:
    xia = Signed("xia.test")
    host.make(*xia.at(7, "www 60 IN A 192.0.2.7"))
    before = start(host, "xia.test")
    response = host.make(*xia.at(6, "www 60 IN A 192.0.2.6"))
    assert set(statuses(response)) == {"applied"}
    assert "192.0.2.6" in delv(host, xia, "www.xia.test", "A")
    assert start(host, "xia.test") > before
    host.make(*xia.at(8, "www 60 IN A 192.0.2.8"))
    assert "192.0.2.8" in delv(host, xia, "www.xia.test", "A")


@pytest.mark.parametrize("after", ["rndc reload", "rndc reload; systemctl restart named"])
def test_a_text_under_the_serial_that_somebody_gave_another_one_by_hand_is_served(
    host: Hands, after: str
) -> None:
    zac = Signed(f"zac{len(after)}.test")
    www = f"www.{zac.name}"
    host.make(*zac.at(3, "www 60 IN A 192.0.2.3"))
    for serial in (4, 5):
        file = f"{LIVE}/{zac.name}.zone"
        host.shell(f"sed -i 's/ {serial - 1} 3600/ {serial} 3600/; s/192.0.2.*/192.0.2.66/' {file}; {after}")
        until("the edit is served", lambda: "192.0.2.66" in delv(host, zac, www, "A"))
        response = host.make(*zac.at(serial, f"www 60 IN A 192.0.2.{serial}"))
        assert set(statuses(response)) == {"applied"}
        assert "; fully validated" in delv(host, zac, www, "A")
        assert host.run("dig", "+short", "@127.0.0.1", www, "A") == f"192.0.2.{serial}\n"


def test_a_zone_changes_although_named_was_started_with_an_edit_by_hand_under_its_serial(host: Hands) -> None:
    yul = Signed("yul.test")
    for serial in (1, 2, 3):
        host.make(*yul.at(serial, f"www 60 IN A 192.0.2.{serial}"))
    file = f"{LIVE}/yul.test.zone"
    host.shell(f"sed -i 's/192.0.2.3/192.0.2.66/' {file}; systemctl restart named")
    for serial in (4, 5):
        response = host.make(*yul.at(serial, f"www 60 IN A 192.0.2.{serial}"))
        assert set(statuses(response)) == {"applied"}
        assert host.run("dig", "+short", "@127.0.0.1", "www.yul.test", "A") == f"192.0.2.{serial}\n"
    assert "; fully validated" in delv(host, yul, "www.yul.test", "A")


def test_a_zone_that_goes_back_while_named_does_not_run_is_served_as_it_is(host: Hands) -> None:
    ben = Signed("ben.test")
    host.make(*ben.at(3, "www 60 IN A 192.0.2.3"))
    for before, after in ((4, 3), (4, 4)):
        host.shell(
            f"sed -i 's/ [34] 3600/ {before} 3600/; s/192.0.2.*/192.0.2.66/' {LIVE}/ben.test.zone; rndc reload"
        )
        until("the edit is served", lambda: "192.0.2.66" in delv(host, ben, "www.ben.test", "A"))
        host.shell("systemctl stop named")
        host.make(*ben.at(after, f"www 60 IN A 192.0.2.{after}"), services=["named"])
        assert host.run("dig", "+short", "@127.0.0.1", "www.ben.test", "A") == f"192.0.2.{after}\n"


def test_neither_link_nor_key_is_left_of_a_zone_that_goes_and_its_successor_is_signed_with_another_key(
    host: Hands,
) -> None:
    wim = Signed("wim.test")
    host.make(*wim.at(9))
    host.make(*wim.at(10, "www 60 IN A 192.0.2.10"))
    host.remove(*wim.at(10, "www 60 IN A 192.0.2.10"))
    assert host.shell(f"ls {PLACE} | grep -x wim.test.zone || true; find {LIVE}/ -name '*wim*' -type f") == ""
    other = Signed("wim.test")
    host.make(*other.at(1))
    assert "; fully validated" in delv(host, other, "wim.test", "SOA")


def test_what_named_wrote_late_of_a_zone_that_is_gone_is_not_taken_for_its_successor(host: Hands) -> None:
    ute = Signed("ute.test")
    host.make(*ute.at(9, "www 60 IN A 192.0.2.9"))
    until(
        "it is written", lambda: host.shell(f"cd {PLACE} && test -e ute.test.zone.signed && echo 1 || true")
    )
    host.shell(f"cd {PLACE} && mkdir -p /tmp/late && cp -p ute.test.zone.* /tmp/late")
    host.remove(*ute.at(9, "www 60 IN A 192.0.2.9"))
    host.shell(f"cp -p /tmp/late/* {PLACE}")
    other = Signed("ute.test")
    response = host.make(*other.at(1, "www 60 IN A 192.0.2.1"))
    assert set(statuses(response)) == {"applied"}
    assert "; fully validated" in delv(host, other, "www.ute.test", "A")
    assert host.run("dig", "+short", "@127.0.0.1", "www.ute.test", "A") == "192.0.2.1\n"
    assert len(host.run("dig", "+short", "@127.0.0.1", "ute.test", "DNSKEY").splitlines()) == 1


def test_a_zone_is_signed_with_its_own_key_alone_though_that_of_another_one_was_left_there(
    host: Hands,
) -> None:
    """As after a database was put back that does not know the other one."""
    lea = Signed("lea.test")
    host.make(*lea.at(9, "www 60 IN A 192.0.2.9"))
    other = Signed("lea.test")
    response = host.make(*other.at(10, "www 60 IN A 192.0.2.10"))
    assert set(statuses(response)) == {"applied"}
    assert "; fully validated" in delv(host, other, "www.lea.test", "A")
    assert host.run("dig", "+short", "@127.0.0.1", "www.lea.test", "A") == "192.0.2.10\n"
    assert len(host.run("dig", "+short", "@127.0.0.1", "lea.test", "DNSKEY").splitlines()) == 1


def test_a_name_server_that_is_killed_while_it_reloads_serves_what_is_live_in_the_end(host: Hands) -> None:
    tom = Signed("tom.test")

    def at(serial: int) -> list[Resource]:
        line = f"www 60 IN A 192.0.2.{serial}"
        text = f'zone "sue.test" {{ type primary; file "{LIVE}/sue.test.zone"; }};\n'
        plain = [zone("sue.test", serial, line), resource.config("named", "sue.test.conf", text)]
        return [*tom.at(serial, line), *plain]

    host.make(*at(1))
    killing = "while ! pgrep -x rndc; do :; done; systemctl kill --signal=KILL named"
    for serial in range(2, 6):
        with ThreadPoolExecutor(1) as pool:
            killed = pool.submit(host.shell, killing)
            host.make(*at(serial))
            killed.result()
        response = host.make(*at(serial), services=["named"])
        assert set(statuses(response)) == {"applied"}
        assert f"192.0.2.{serial}" in delv(host, tom, "www.tom.test", "A")
        assert host.run("dig", "+short", "@127.0.0.1", "www.sue.test", "A") == f"192.0.2.{serial}\n"


def test_named_alone_reads_private_keys_and_changes_none_of_the_files(host: Hands) -> None:
    vic = Signed("vic.test")
    host.make(*vic.at(1))
    host.shell("rndc loadkeys vic.test; rndc sign vic.test; systemctl restart named")
    found = host.look(*(each.key for each in vic.keys))
    assert found == {each.key: dict(each.attributes) for each in vic.keys}
    (private,) = (each for each in vic.keys if each.key.endswith(".private"))
    assert (private.attributes["owner"], private.attributes["group"]) == ("root", "bind")
    assert private.attributes["mode"] == "0640"
    path = f"{LIVE}/private/dnssec/vic.test/{vic.key.tag}/{private.key.rpartition('/')[2]}"
    assert host.shell(f"runuser -u www-data -- cat {path} 2>&1 || true").endswith("Permission denied\n")
    assert host.shell(f"runuser -u bind -- ln -sf /etc/passwd {PLACE}/vic.test.zone 2>&1 || true") != ""
    assert host.shell(f"readlink {PLACE}/vic.test.zone") == f"{LIVE}/vic.test.zone\n"


def test_a_zone_that_is_signed_no_more_is_served_without_signatures(host: Hands) -> None:
    uwe = Signed("uwe.test")
    host.make(*uwe.at(1))
    later = start(host, "uwe.test") + 1
    text = f'zone "uwe.test" {{ type primary; file "{LIVE}/uwe.test.zone"; }};\n'
    plain = [zone("uwe.test", later), resource.config("named", "uwe.test.conf", text)]
    found = host.look(*(each.key for each in [*plain, *uwe.keys]))
    gone = [change(each, found[each.key]) | {"action": "delete", "attributes": None} for each in uwe.keys]
    response = host.apply(*(change(each, found[each.key]) for each in plain), *gone)
    assert set(statuses(response)) == {"applied"}
    assert start(host, "uwe.test") == later
    assert "RRSIG" not in host.run("dig", "+dnssec", "@127.0.0.1", "uwe.test", "SOA")
