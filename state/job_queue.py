"""Jobs that wait: taken by priority and age when they are due, put off, moved, cancelled, and tried once more."""

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, func, or_, select, update

from state.claims import lock
from state.errors import Conflict
from state.job_types import JOB_TYPES
from state.jobs import Job, add_job, finish_job, get_job, log
from state.journal.event import of_job
from state.journal.events import emit
from state.tables import jobs

MOST_WAITING = 100
_WAITING, _RUNNING = jobs.c.status == "pending", jobs.c.status == "running"


def is_due(connection: Connection, target: str, types: Collection[str]) -> bool:
    """Whether a job of these types is to be done on the target now."""
    return connection.execute(select(jobs.c.id).where(_due(target, types)).limit(1)).first() is not None


def take_job(
    connection: Connection, target: str, types: Collection[str], holder: str, besides: Collection[str] = ()
) -> Job | None:
    """The most urgent job of these types and this target that is due, of equals the oldest; now held by `holder`. It
    belongs to nobody of `besides`."""
    mine = _due(target, types) & jobs.c.owner.not_in(besides)
    query = (
        select(jobs.c.id).where(mine).order_by(jobs.c.priority.desc(), jobs.c.created_at, jobs.c.id).limit(1)
    )
    job_id = connection.execute(query).scalar()
    running = {"status": "running", "holder": holder, "started_at": datetime.now(UTC)}
    taken = connection.execute(update(jobs).where(_WAITING, jobs.c.id == job_id).values(**running)).rowcount
    if not taken:
        return None
    job = get_job(connection, str(job_id))
    emit(connection, of_job(job.id, job.job_type, job.owner, "started", target))
    return job


def _due(target: str, types: Collection[str]) -> ColumnElement[bool]:
    due = or_(jobs.c.scheduled_for.is_(None), jobs.c.scheduled_for <= datetime.now(UTC))
    return _WAITING & (jobs.c.target == target) & jobs.c.job_type.in_(types) & due


def postpone_job(connection: Connection, job_id: str, until: datetime, line: str) -> None:
    """Gives a running job back: it is pending again, and due at `until`."""
    again = {"status": "pending", "holder": "", "started_at": None, "scheduled_for": until}
    if connection.execute(update(jobs).where(_RUNNING, jobs.c.id == job_id).values(**again)).rowcount:
        log(connection, job_id, line)


def cancel_job(connection: Connection, job_id: str) -> None:
    """Cancels a pending job. Raises Conflict when it is no longer pending."""
    cancelled = {"status": "cancelled", "completed_at": datetime.now(UTC)}
    _change_waiting(connection, job_id, "cancelled", **cancelled)


def move_job(connection: Connection, job_id: str, priority: int, scheduled_for: datetime | None) -> None:
    """Says anew how urgent a pending job is and when it is due. Raises Conflict when it is no longer pending."""
    _change_waiting(connection, job_id, "moved", priority=priority, scheduled_for=scheduled_for)


def _change_waiting(connection: Connection, job_id: str, done: str, **values: object) -> None:
    row = _WAITING & (jobs.c.id == job_id)
    if connection.execute(update(jobs).where(row).values(**values)).rowcount == 0:
        status = get_job(connection, job_id).status
        raise Conflict(f"the job is {status}: only a pending one can be {done}", code="job_not_pending")


def retry_job(connection: Connection, job: Job) -> str:
    """A new job like one that has failed or was cancelled, due when that was, at the earliest now; its id.

    Raises Conflict when the job did not end so, when it is under way again, or when nobody can do it again.
    """
    if job.status not in {"failed", "cancelled"} or job.job_type not in JOB_TYPES:
        message = f"the {job.job_type} job is {job.status}: only a failed or cancelled one is tried again"
        raise Conflict(message, code="job_not_retryable")
    lock(connection, f"job/{job.id}")
    again = select(jobs.c.id).where(jobs.c.retry_of == job.id, jobs.c.status.in_(("pending", "running")))
    if (known := connection.execute(again).scalar()) is not None:
        raise Conflict("it is being tried again already", code="job_retried", job=known)
    later = job.scheduled_for if job.scheduled_for and job.scheduled_for > datetime.now(UTC) else None
    return add_job(
        connection,
        job.job_type,
        owner=job.owner,
        target=job.target,
        parameters=job.parameters,
        priority=job.priority,
        scheduled_for=later,
        retry_of=job.id,
    )


def check_waiting(connection: Connection, owner: str) -> None:
    """Raises Conflict when so many jobs that somebody asked for are waiting that this owner has to wait too."""
    asked = jobs.c.job_type.in_([each.name for each in JOB_TYPES.values() if not each.patient])
    lock(connection, f"jobs/{owner}")
    waiting = connection.execute(
        select(func.count()).where(_WAITING, asked, jobs.c.owner == owner)
    ).scalar_one()
    if waiting >= MOST_WAITING:
        raise Conflict(f"{waiting} jobs are waiting: let them be done, or cancel some", code="too_many_jobs")


def bury_jobs(connection: Connection, target: str) -> int:
    """Ends what was going on when a target's last worker ended: patient jobs begin again, others fail; how many."""
    row = _RUNNING & (jobs.c.target == target)
    found = connection.execute(select(jobs.c.id, jobs.c.job_type).where(row)).all()
    for job_id, job_type in found:
        bury_job(connection, job_id, job_type, "the worker died during this run")
    return len(found)


def bury_job(connection: Connection, job_id: str, job_type: str, why: str) -> None:
    """Ends a running job that nobody is at any more, or lets it begin again."""
    if job_type in JOB_TYPES and JOB_TYPES[job_type].patient:
        postpone_job(connection, job_id, datetime.now(UTC), f"{why}: it begins again")
    else:
        finish_job(connection, job_id, "failed", {}, f"{why}; its target is observed again")
