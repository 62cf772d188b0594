"""Providers come and go while a worker runs, and each has passes, sweeps and jobs of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.providers.tending import Tending
from reconciler.pulse import Pulse
from reconciler.tender import Tender
from reconciler.worker import _guarded
from state.database import Database
from state.job_types import DNS_SYNC
from state.jobs import SYSTEM, add_job
from state.settings import Settings
from state.zones.providers import set_up, take_down
from tests.lab.control import until
from tests.reconciler.providers.cloudflare import Cloudflare, RefusalError
from tests.reconciler.providers.conftest import CLOUDFLARE, POWERDNS
from tests.reconciler.providers.plane import NAMESERVERS, TARGET, Plane, plane_with
from tests.reconciler.providers.powerdns import PowerDns

WWW = {"name": "www", "record_type": "A", "value": "192.0.2.7", "ttl": 300}


@contextmanager
def tended(plane: Plane, **settings: float) -> Iterator[dict[str, Tender]]:
    """While it lasts, a worker tends the plane's providers; those that it tends."""
    stop, tenders = threading.Event(), dict[str, Tender]()
    chosen = Settings(var=plane.world.settings.var, **{"sweep_seconds": 3600.0, **settings})
    world = replace(plane.world, settings=chosen)
    tending = Tending(world, stop, Pulse(), tenders, _guarded)
    thread = threading.Thread(target=tending.loop)
    plane.lease.__exit__()
    thread.start()
    try:
        yield tenders
    finally:
        stop.set()
        thread.join(timeout=30)
        assert not thread.is_alive()


@pytest.fixture
def served(database: Database, server: PowerDns, tmp_path: Path) -> Iterator[Plane]:
    server.clear()
    with plane_with(database, tmp_path, POWERDNS, server.options) as made:
        yield made


def _asked(plane: Plane, **parameters: str) -> str:
    with plane.database.writing() as connection:
        return add_job(connection, DNS_SYNC, owner=SYSTEM, target=TARGET, parameters=parameters)


def _job(plane: Plane, job: str) -> str:
    return next(each.status for each in plane.ran() if each.id == job)


def test_zones_are_made_true_and_drift_is_undone_without_anybody_asking(
    served: Plane, server: PowerDns
) -> None:
    zone = served.zone("self.example.com", NAMESERVERS, WWW)
    with tended(served, sweep_seconds=0.5):
        until("the zone is served", lambda: server.ask("www.self.example.com", "A") == ["300 192.0.2.7"])
        until("it is told", lambda: served.kept(zone).get("provider_zone_id"))
        server.put("self.example.com", "www.self.example.com.", "A", ["203.0.113.66"])
        until("drift is undone", lambda: server.ask("www.self.example.com", "A") == ["300 192.0.2.7"])
        until("it is told", lambda: not served.says(zone, "Drifted").status)


def test_one_that_is_set_up_later_gets_what_waited_for_it_and_goes_again(
    served: Plane, server: PowerDns
) -> None:
    with tended(served) as tenders:
        until("the first is tended", lambda: TARGET in tenders)
        zone = served.zone("later.example.com", NAMESERVERS, WWW, dns_provider="later")
        assert zone.target == "web1"
        with served.database.writing() as connection:
            set_up(connection, served.world.settings.var, "later", POWERDNS, server.options)
        until("the zone is served", lambda: server.ask("www.later.example.com", "A") == ["300 192.0.2.7"])
        served.remove(zone)
        until("it is gone", lambda: server.ask("www.later.example.com", "A") == [])
        until("it is forgotten", lambda: _taken_down(served))
        until("it is tended no more", lambda: tenders.keys() == {TARGET})


def _taken_down(plane: Plane) -> bool:
    try:
        with plane.database.writing() as connection:
            take_down(connection, "later")
    except Exception:
        return False
    return True


def test_a_job_that_somebody_asked_for_tells_of_each_zone(served: Plane, server: PowerDns) -> None:
    good, bad = served.zone("good.example.com", NAMESERVERS, WWW), served.zone("bad.example.com", WWW)
    with tended(served):
        until("the good one is served", lambda: served.kept(good).get("provider_zone_id"))
        server.put("good.example.com", "www.good.example.com.", "A", ["203.0.113.66"])
        one, every = _asked(served, zone="good.example.com"), _asked(served)
        until("the jobs ended", lambda: {_job(served, one), _job(served, every)} == {"completed", "failed"})
    results = {job.id: job.results for job in served.ran()}
    fine = {"status": "Ready", "message": "as wanted"}
    assert _job(served, one) == "completed"
    assert results[one] == {"DnsZone/good.example.com": fine}
    assert results[every]["DnsZone/good.example.com"] == fine
    assert results[every]["DnsZone/bad.example.com"]["status"] == "NoNameServer"
    assert server.ask("www.good.example.com", "A") == ["300 192.0.2.7"]
    assert not served.says(bad).status


def test_one_that_is_down_holds_up_no_other(served: Plane, server: PowerDns, stub: Cloudflare) -> None:
    def down(*_: str) -> None:
        raise RefusalError(429, 10000, "too many")

    stub.trouble = down
    with served.database.writing() as connection:
        set_up(connection, served.world.settings.var, "other", CLOUDFLARE, stub.options)
    other = served.zone("other.example.com", WWW, dns_provider="other")
    with tended(served):
        until("the other one has been asked", lambda: stub.asked)
        served.zone("mine.example.com", NAMESERVERS, WWW)
        until("the zone is served", lambda: server.ask("www.mine.example.com", "A") == ["300 192.0.2.7"])
        until("it is told of the other", lambda: served.says(other).reason in {"ApplyFailed", "RateLimited"})
        stub.trouble = lambda *_: None
        until("it is made when it is back", lambda: stub.told("www.other.example.com", "A"))
