"""Errands: jobs that somebody asked for or whose day has come, carried out one after the other on their target."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Connection, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from reconciler.lease import Lease, whoami
from reconciler.purge import purge
from reconciler.survey import World
from reconciler.sweep import Sweep
from state.errors import GhostError, Temporary
from state.job_queue import bury_job, is_due, postpone_job, take_job
from state.job_types import DNS_SYNC, JOB_TYPES, MOST_NAMED, PURGE, RECONCILE, SWEEP
from state.jobs import Job, finish_job, log
from state.kinds import KINDS
from state.statuses import conditions_of, forgive
from state.tables import documents, statuses
from state.zones.providers import name_of

AGAIN = timedelta(minutes=10)
MOST_TOLD = 1000
_log = structlog.get_logger()


@dataclass(frozen=True)
class Means:
    """What an errand is done with: `look` passes over what is pending, `sweep` sweeps for a job with this id."""

    world: World
    lease: Lease
    look: Callable[[], None]
    sweep: Callable[[str], Sweep]


@dataclass(frozen=True, slots=True)
class Ended:
    """How an errand ended; one that is put off is pending."""

    status: str
    line: str
    results: Mapping[str, Any] = field(default_factory=dict)


class Errands:
    """The errands of one target; remembers the one that it could not conclude, so that none stays running."""

    def __init__(self) -> None:
        self._unfinished: Job | None = None

    def next(self, means: Means) -> bool:
        """Does the most urgent errand that is due; whether there was one. Raises Superseded."""
        database, lease = means.world.database, means.lease
        if self._unfinished is not None:
            with database.writing() as connection:
                lease.check(connection)
                why = "the worker could not conclude it"
                bury_job(connection, self._unfinished.id, self._unfinished.job_type, why)
            self._unfinished = None
        with database.reading() as connection:
            if not is_due(connection, lease.target, CARRIED_OUT.keys()):
                return False
        with database.writing() as connection:
            lease.check(connection)
            self._unfinished = job = take_job(connection, lease.target, CARRIED_OUT.keys(), whoami())
        if job is not None:
            _conclude(means, job, _done(means, job))
        self._unfinished = None
        return job is not None


def _done(means: Means, job: Job) -> Ended:
    """How it ended, whatever happened; only the database's own trouble cannot be told to the database."""
    try:
        return CARRIED_OUT[job.job_type](means, job)
    except Temporary as error:
        status = "pending" if JOB_TYPES[job.job_type].patient else "failed"
        return Ended(status, f"{type(error).__name__}: {error}")
    except GhostError as error:
        return Ended("failed", f"{type(error).__name__}: {error}")
    except SQLAlchemyError:
        raise
    except Exception as error:
        _log.exception("a job failed by a fault of ours", job=job.id)
        return Ended("failed", f"a fault of ours ({type(error).__name__}); the worker's log says more")


def _conclude(means: Means, job: Job, ended: Ended) -> None:
    with means.world.database.writing() as connection:
        means.lease.check(connection)
        if ended.status == "pending":
            postpone_job(connection, job.id, datetime.now(UTC) + AGAIN, ended.line)
        else:
            finish_job(connection, job.id, ended.status, ended.results, ended.line)
    _log.info("job ended", job=job.id, job_type=job.job_type, status=ended.status)


def _purge(means: Means, job: Job) -> Ended:
    results = purge(means.world, means.lease, job)
    failed = [name for name, result in results.items() if result["status"] != "applied"]
    line = f"{len(results) - len(failed)} of {len(results)} removed from quarantine"
    return Ended("failed" if failed else "completed", line, results)


def _sweep(means: Means, job: Job) -> Ended:
    found = means.sweep(job.id)
    line = (
        f"{found.resources} resources looked at: {len(found.drifted)} documents have drifted, "
        f"{len(found.needy)} need a pass, {len(found.unmanaged)} things are not ours"
    )
    return Ended("completed", line, found.differing)


def _reconcile(means: Means, job: Job) -> Ended:
    """Has the documents looked at and repaired now; fails when one of them is not ready afterwards."""
    total, late = _looked_at(means, job, _meant(job))
    line = f"{total - len(late)} of {total} documents are ready"
    return Ended("failed" if late else "completed", line, dict(list(late.items())[:MOST_TOLD]))


def _dns_sync(means: Means, job: Job) -> Ended:
    """The same for zones, each of which is told of."""
    zones = documents.c.kind.in_([kind.name for kind in KINDS.values() if kind.provider_field])
    meant = _meant(job) & zones
    if "zone" in job.parameters:
        meant &= documents.c.name == job.parameters["zone"]
    if name_of(job.target):
        with means.world.database.writing() as connection:
            means.lease.check(connection)
            forgive(connection, job.target)
    total, late = _looked_at(means, job, meant)
    with means.world.database.reading() as connection:
        living = select(documents.c.kind, documents.c.name).where(meant, documents.c.deleted_at.is_(None))
        found = [f"{kind}/{name}" for kind, name in connection.execute(living.limit(MOST_TOLD))]
    fine = {"status": "Ready", "message": "as wanted"}
    results = {name: late.get(name, fine) for name in sorted(found)}
    line = f"{total - len(late)} of {total} zones are as wanted"
    return Ended("failed" if late else "completed", line, results)


def _looked_at(means: Means, job: Job, meant: ColumnElement[bool]) -> tuple[int, dict[str, dict[str, str]]]:
    """Has those that are meant looked at now; how many there are, and why some are not ready then."""
    again = {"wanted": documents.c.wanted + 1, "pending": True}
    with means.world.database.writing() as connection:
        means.lease.check(connection)
        woken = connection.execute(update(documents).where(meant).values(**again)).rowcount
        log(connection, job.id, f"{woken} documents of {job.target} are looked at")
    means.look()
    with means.world.database.reading() as connection:
        return _not_ready(connection, meant & documents.c.deleted_at.is_(None))


def _meant(job: Job) -> ColumnElement[bool]:
    """Those on the job's target, of its owner, and of its names, where it says so of all of them."""
    meant = documents.c.target == job.target
    if job.owner:
        owners = [kind.name for kind in KINDS.values() if kind.owns]
        itself = documents.c.kind.in_(owners) & (documents.c.name == job.owner)
        meant &= or_(documents.c.owner == job.owner, itself)
    names = [str(name).split("/", 1) for name in job.parameters.get("documents", ())]
    if names and len(names) < MOST_NAMED:
        meant &= or_(*((documents.c.kind == kind) & (documents.c.name == name) for kind, name in names))
    return meant


def _not_ready(connection: Connection, meant: ColumnElement[bool]) -> tuple[int, dict[str, dict[str, str]]]:
    """How many there are, and why some are not ready."""
    total = connection.execute(select(func.count()).select_from(documents).where(meant)).scalar_one()
    query = select(documents.c.kind, documents.c.name, statuses.c.conditions).join_from(
        documents, statuses, statuses.c.uid == documents.c.uid, isouter=True
    )
    late = query.where(meant, statuses.c.ready.is_not(True)).order_by(documents.c.kind, documents.c.name)
    return int(total), {
        f"{row.kind}/{row.name}": _why(conditions_of(row.conditions)) for row in connection.execute(late)
    }


def _why(conditions: Any) -> dict[str, str]:
    ready: Mapping[str, Any] = next((each for each in conditions if each["type"] == "Ready"), {})
    return {"status": str(ready.get("reason", "Unknown")), "message": str(ready.get("message", ""))}


CARRIED_OUT: Mapping[str, Callable[[Means, Job], Ended]] = {
    RECONCILE: _reconcile,
    DNS_SYNC: _dns_sync,
    SWEEP: _sweep,
    PURGE: _purge,
}
