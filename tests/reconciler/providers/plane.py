"""A control plane with an external provider: documents are written as a door would, passes and sweeps are real."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reconciler.dry_run import make_report
from reconciler.lease import Contender, Lease
from reconciler.loop import Pass, reconcile
from reconciler.providers.hand import Hand
from reconciler.survey import World
from reconciler.sweep import Sweep, sweep
from state import jobs, reading, store
from state.compiling import Facts
from state.database import Database
from state.document import Condition, Document, Status
from state.kinds import KINDS
from state.plans import Plan, pack
from state.settings import Settings
from state.statuses import load_statuses, wake
from state.tables import jobs as job_table
from state.targets import list_hosts, seen
from state.templates import load_templates
from state.zones.providers import adopt, set_up

TARGET = "provider:there"
NAMESERVERS = {"record_type": "NS", "value": "ns1.example.net."}


@dataclass
class Plane:
    """Anna is on the host web1; her zones are at the provider `there`."""

    world: World
    lease: Lease

    @property
    def database(self) -> Database:
        return self.world.database

    def zone(self, name: str, *records: dict[str, Any], **values: Any) -> Document:
        """A zone with just these records, all written at once."""
        values = {"dns_provider": "there", "template": "none", **values}
        with self.database.writing() as connection:
            zone = store.create(connection, KINDS["DnsZone"], name, "anna", values, actor="test")
            for record in records:
                self._record(connection, zone, record)
        return zone

    def record(self, zone: Document, **values: Any) -> Document:
        with self.database.writing() as connection:
            return self._record(connection, zone, values)

    def _record(self, connection: Any, zone: Document, values: dict[str, Any]) -> Document:
        return store.create(connection, KINDS["DnsRecord"], "", "anna", values, actor="test", whole=zone)

    def change(self, document: Document, **values: Any) -> Document:
        with self.database.writing() as connection:
            return store.change(connection, document, values, actor="test")

    def adopt(self, zone: Document) -> None:
        with self.database.writing() as connection:
            adopt(connection, "there", zone.name)

    def remove(self, document: Document, *, confirmed: bool = True) -> None:
        with self.database.writing() as connection:
            store.remove(connection, document, actor="test", confirmed=confirmed)

    def reconcile(self) -> Pass:
        """Passes until there is nothing to do at once."""
        done = reconcile(self.world, self.lease)
        while done.again:
            self.wake(*done.retry)
            done = reconcile(self.world, self.lease)
        return done

    def wake(self, *uids: str) -> None:
        with self.database.writing() as connection:
            wake(connection, uids)

    def sweep(self) -> Sweep:
        return sweep(self.world, TARGET, threading.Lock())

    def status(self, document: Document) -> Status:
        with self.database.reading() as connection:
            return load_statuses(connection, [document])[document.uid]

    def says(self, document: Document, type_: str = "Ready") -> Condition:
        return next(each for each in self.status(document).conditions if each.type == type_)

    def kept(self, document: Document) -> Any:
        with self.database.reading() as connection:
            return reading.get(connection, document.uid).kept

    def ran(self) -> list[jobs.Job]:
        """All of them, the oldest first."""
        with self.database.reading() as connection:
            rows = connection.execute(job_table.select().order_by(job_table.c.created_at)).all()
            return [jobs.get_job(connection, row.id) for row in rows]

    def log(self, job: jobs.Job) -> str:
        with self.database.reading() as connection:
            return "\n".join(line for _, line in jobs.read_log(connection, job.id))

    def plan(self, *overlay: Document) -> dict[str, Any]:
        """The provider's part of a dry run, with these documents laid over those that are stored."""
        request = {"overlay": [pack(each) for each in overlay], "target": TARGET}
        report = make_report(self.world, Plan("p", "admin", request, {}, "running", None, datetime.now(UTC)))
        return dict(report["targets"][0])


@contextmanager
def plane_with(database: Database, var: Path, package: str, options: dict[str, Any]) -> Iterator[Plane]:
    with database.writing() as connection:
        list_hosts(connection, {"web1": "192.0.2.1"})
        seen(connection, "web1", Facts(hostname="web1", ipv4=("192.0.2.1",), ipv6=("2001:db8::1",)))
        store.create(connection, KINDS["Package"], "default", "", {}, actor="test")
        limits = {"email": "a@example.com", "dns_domains_limit": 0}
        store.create(connection, KINDS["User"], "anna", "", limits, actor="test")
        set_up(connection, var, "there", package, options)
    settings = Settings(var=var)
    world = World(
        database, settings, Hand(database, settings), lambda: load_templates(settings.template_folders)
    )
    lease = Contender(database).take(TARGET)
    assert lease is not None
    yield Plane(world, lease)


def changed(document: Document, **values: Any) -> Document:
    """The document as it would be with these values."""
    spec = document.spec.model_copy(update=values)
    return replace(document, spec=spec, generation=document.generation + 1)
