"""A provider that is down, slow, wants to be left alone, or lets us in no more; and no secret is told."""

import time
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import select

from reconciler.lease import Contender
from reconciler.loop import reconcile
from reconciler.providers import desk
from reconciler.providers.faults import Overtime
from reconciler.providers.hand import Hand
from reconciler.providers.patience import bounded
from reconciler.survey import World
from state.database import Database
from state.errors import Unreachable
from state.keys import keyring
from state.tables import metadata
from state.zones.providers import set_up
from tests.reconciler.providers.cloudflare import TOKEN, Cloudflare, RefusalError
from tests.reconciler.providers.conftest import CLOUDFLARE
from tests.reconciler.providers.plane import NAMESERVERS, TARGET, Plane
from tests.reconciler.providers.powerdns import KEY, PowerDns

WWW = {"name": "www", "record_type": "A", "value": "192.0.2.7", "ttl": 300}


@pytest.fixture(autouse=True)
def nothing_told(database: Database, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Whatever happens in a test, neither the database nor what a worker says has a secret in it."""
    yield
    said = capfd.readouterr()
    with database.reading() as connection:
        rows = [str(row) for table in metadata.sorted_tables for row in connection.execute(select(table))]
    for secret in (TOKEN, KEY):
        assert secret not in said.out + said.err
        assert not [row for row in rows if secret in row]


def _refusing(status: int, code: int, *, path: str = "", verb: str = "", after: int = 0) -> Any:
    """Trouble with requests of this verb whose path has this in it, after so many of them."""
    seen: list[str] = []

    def trouble(method: str, asked: str) -> None:
        if path in asked and verb in method:
            seen.append(asked)
            if len(seen) > after:
                raise RefusalError(status, code, "no, not now")

    return trouble


def _again(plane: Plane, *uids: str) -> None:
    """What a worker does when a document's time has come."""
    plane.wake(*uids)
    plane.reconcile()


def test_one_that_wants_to_be_left_alone_is(there: Plane, stub: Cloudflare) -> None:
    zones = [there.zone(f"z{n}.example.com", WWW) for n in range(3)]
    stub.trouble = _refusing(429, 10000)
    assert there.reconcile().postponed
    assert len(stub.asked) == 1
    assert {there.says(zone).reason for zone in zones} == {"RateLimited"}
    stub.trouble = lambda *_: None
    there.reconcile()
    assert all(there.says(zone).status for zone in zones)


def test_what_was_half_made_when_it_broke_off_is_made_whole(there: Plane, stub: Cloudflare) -> None:
    zone = there.zone("half.example.com", *({**WWW, "value": f"192.0.2.{n}"} for n in range(1, 4)))
    stub.trouble = _refusing(429, 10000, path="dns_records", verb="POST", after=1)
    done = there.reconcile()
    assert done.retry == {zone.uid}
    assert len(stub.told("www.half.example.com", "A")) == 1
    stub.trouble = lambda *_: None
    _again(there, zone.uid)
    assert there.says(zone).status
    assert len(stub.told("www.half.example.com", "A")) == 3


def test_a_zone_that_fails_fails_no_other(there: Plane, stub: Cloudflare) -> None:
    zones = [there.zone(f"z{n}.example.com", WWW) for n in range(3)]
    there.reconcile()
    bad = there.kept(zones[1])["provider_zone_id"]
    stub.trouble = _refusing(500, 1, path=bad)
    for number, zone in enumerate(zones):
        there.record(zone, **{**WWW, "value": f"192.0.2.{100 + number}"})
    done = there.reconcile()
    assert not done.postponed
    assert done.retry == {zones[1].uid}
    assert [there.says(zone).reason for zone in zones] == ["Converged", "ProviderFailed", "Converged"]
    assert "no, not now" in there.says(zones[1]).message
    assert len(there.status(zones[1]).applied) == 1
    part = there.plan()
    assert [(b["document"], b["reason"]) for b in part["blocked"]] == [("z1.example.com", "ProviderFailed")]
    stub.trouble = lambda *_: None
    _again(there, zones[1].uid)
    assert there.says(zones[1]).status
    assert stub.told("www.z1.example.com", "A") == ["300 192.0.2.101", "300 192.0.2.7"]


def test_a_record_that_the_package_cannot_write_fails_no_other(there: Plane, stub: Cloudflare) -> None:
    odd = {"name": "s", "record_type": "SRV", "value": "5 5060 sip.example.net.", "priority": 1}
    zone = there.zone("odd.example.com", WWW, odd, {**WWW, "name": "t", "record_type": "TXT", "value": "x"})
    assert there.reconcile().retry == {zone.uid}
    assert stub.told("www.odd.example.com", "A") == ["300 192.0.2.7"]
    assert stub.told("t.odd.example.com", "TXT") == ['300 "x"']
    assert "rrset:odd.example.com/s/SRV" in there.says(zone).message
    assert "its package cannot do this" in there.says(zone).message


def test_only_what_failed_and_the_zone_say_so(there: Plane) -> None:
    zone = there.zone("alone.example.com", {**WWW, "name": "more"})
    www, off = there.record(zone, **WWW), there.record(zone, **{**WWW, "name": "off", "is_active": False})
    odd = there.record(zone, name="s", record_type="SRV", value="5 5060 sip.example.net.", priority=1)
    for _ in range(2):
        assert there.reconcile().retry == {zone.uid}
        assert there.says(www).status
        assert there.says(off).status
        for each in (zone, odd):
            assert not there.says(each).status
            assert "rrset:alone.example.com/s/SRV" in there.says(each).message
        there.wake(zone.uid)
    there.remove(www)
    there.reconcile()
    with pytest.raises(Exception, match="no such object"):
        there.kept(www)
    there.remove(odd)
    there.reconcile()
    assert there.says(zone).status


def test_a_record_over_which_the_package_never_ends_is_given_up(
    there: Plane, stub: Cloudflare, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = import_module("octodns_cloudflare").CloudflareProvider
    plain = package._contents_for_A

    def endless(self: Any, record: Any) -> Any:
        while "192.0.2.66" in record.values:
            pass
        return plain(self, record)

    monkeypatch.setattr(package, "_contents_for_A", endless)
    monkeypatch.setattr(desk, "PATIENCE", 0.3)
    zone = there.zone("long.example.com", WWW, {**WWW, "name": "odd", "value": "192.0.2.66"})
    other = there.zone("other.example.com", WWW)
    assert there.reconcile().retry == {zone.uid}
    assert stub.told("www.long.example.com", "A") == stub.told("www.other.example.com", "A")
    assert "Overtime" in there.says(zone).message
    assert there.says(other).status


def test_what_is_waited_for_is_not_computed() -> None:
    with bounded(0.1):
        time.sleep(0.5)
    with pytest.raises(Overtime):
        _computing()


def _computing() -> None:
    with bounded(0.1):
        while True:
            pass


def test_a_sweep_goes_on_where_the_only_zone_cannot_be_read(there: Plane, stub: Cloudflare) -> None:
    zone = there.zone("only.example.com", WWW)
    there.reconcile()
    stub.trouble = _refusing(400, 1, path="dns_records")
    found = there.sweep()
    assert found.needy == {zone.uid}
    assert not found.drifted
    assert there.reconcile().retry == {zone.uid}
    assert there.says(zone).reason == "ProviderFailed"
    stub.trouble = lambda *_: None
    _again(there, zone.uid)
    assert there.says(zone).status


def test_a_deletion_waits_for_a_zone_that_cannot_be_read(there: Plane, stub: Cloudflare) -> None:
    zone = there.zone("wait.example.com", WWW)
    there.reconcile()
    stub.trouble = _refusing(503, 1)
    there.remove(zone)
    done = there.reconcile()
    assert done.retry == {zone.uid}
    assert stub.told("www.wait.example.com", "A") == ["300 192.0.2.7"]
    stub.trouble = lambda *_: None
    _again(there, zone.uid)
    assert stub.told("www.wait.example.com", "A") == []
    with pytest.raises(Exception, match="no such object"):
        there.kept(zone)


def test_credentials_that_are_good_no_more_are_told_and_new_ones_used(there: Plane, stub: Cloudflare) -> None:
    zone = there.zone("in.example.com", WWW)
    there.reconcile()
    stub.token = "another-one"
    _again(there, zone.uid)
    assert there.says(zone).reason == "CredentialsRefused"
    assert there.says(zone).message == "DNS provider 'there': Invalid access token; tried again soon"
    with pytest.raises(Unreachable, match="Invalid access token"):
        there.sweep()
    with there.database.writing() as connection:
        set_up(
            connection, there.world.settings.var, "there", CLOUDFLARE, {**stub.options, "token": stub.token}
        )
    _again(there, zone.uid)
    assert there.says(zone).status


def test_one_that_is_slow_is_given_up_in_time(there: Plane, stub: Cloudflare) -> None:
    options = {**stub.options, "timeout": 0.2}
    with there.database.writing() as connection:
        set_up(connection, there.world.settings.var, "there", CLOUDFLARE, options)
    zone = there.zone("slow.example.com", WWW)
    there.reconcile()
    stub.trouble = lambda *_: time.sleep(1)
    there.wake(zone.uid)
    assert there.reconcile().postponed
    assert there.says(zone).reason == "Unreachable"


@pytest.mark.parametrize(
    ("package", "options", "told"),
    [
        ("octodns_nowhere.Provider", {}, "cannot be used"),
        ("octodns.zone.Zone", {"token": TOKEN}, "is no provider"),
        (CLOUDFLARE, {"token": TOKEN, "tokens": TOKEN}, "unexpected keyword"),
        (CLOUDFLARE, {"token": f"{TOKEN}\n", "api_url": "http://127.0.0.1:9"}, "header"),
    ],
)
def test_one_that_is_not_set_up_right_says_so(
    there: Plane, package: str, options: dict[str, Any], told: str
) -> None:
    with there.database.writing() as connection:
        set_up(connection, there.world.settings.var, "there", package, options)
    zone = there.zone("wrong.example.com", WWW)
    there.reconcile()
    there.wake(zone.uid)
    there.reconcile()
    assert told in there.says(zone).message


def test_without_its_key_nothing_is_lost_and_it_is_told(there: Plane, stub: Cloudflare) -> None:
    zone = there.zone("key.example.com", WWW)
    there.reconcile()
    path = there.world.settings.var / "keys" / "vault"
    old = path.read_text()
    path.unlink()
    keyring(there.world.settings.var, "vault")
    there.wake(zone.uid)
    assert there.reconcile().postponed
    assert "fits none of the keys" in there.says(zone).message
    path.write_text(old)
    there.wake(zone.uid)
    there.reconcile()
    assert there.says(zone).status


def test_one_that_is_down_is_waited_for(plane: Plane, server: PowerDns) -> None:
    zone = plane.zone("down.example.com", NAMESERVERS, WWW)
    plane.reconcile()
    plane.record(zone, **{**WWW, "value": "192.0.2.8"})
    server.stop()
    try:
        assert plane.reconcile().postponed
        assert plane.says(zone).reason == "Unreachable"
        with pytest.raises(Unreachable):
            plane.sweep()
        assert "DNS provider 'there'" in plane.plan()["error"]
    finally:
        server.start()
    plane.reconcile()
    assert plane.says(zone).status
    assert server.ask("www.down.example.com", "A") == ["300 192.0.2.7", "300 192.0.2.8"]


class KilledError(BaseException):
    pass


def test_after_a_crash_what_was_made_is_ours(plane: Plane, server: PowerDns) -> None:
    zone = plane.zone("crash.example.com", NAMESERVERS, WWW)
    hand = plane.world.run

    def dying(playbook: str, target: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = hand(playbook, target, request)
        if playbook == "apply":
            raise KilledError
        return answer

    world = World(plane.database, plane.world.settings, dying, plane.world.templates)
    with pytest.raises(KilledError):
        reconcile(world, plane.lease)
    assert server.ask("www.crash.example.com", "A") == ["300 192.0.2.7"]
    assert plane.ran()[-1].status == "failed"
    plane.reconcile()
    assert plane.says(zone).status
    plane.remove(zone)
    plane.reconcile()
    assert server.ask("www.crash.example.com", "A") == []


def test_a_worker_that_lost_its_lease_changes_nothing(
    plane: Plane, server: PowerDns, database: Database
) -> None:
    plane.zone("late.example.com", NAMESERVERS, WWW)
    newer = Contender(database, patience=0.0, holder="newer")
    newer.take(TARGET)
    assert newer.take(TARGET) is not None
    answer = Hand(database, plane.world.settings)(
        "apply",
        TARGET,
        {
            "token": plane.lease.token,
            "changes": [_create("late.example.com", "www", "A", ["192.0.2.7"])],
            "services": [],
        },
    )
    assert answer["fenced"]
    assert server.zones() == []


def _create(zone: str, name: str, kind: str, values: list[str]) -> dict[str, Any]:
    attributes = {"ttl": 300, "values": values}
    return {
        "key": f"rrset:{zone}/{name}/{kind}",
        "attributes": attributes,
        "expect": None,
        "action": "create",
    }
