"""Jobs: the record of each run; the table is the truth, a broker only a doorbell."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, delete, insert, select, update

from state.errors import NotFound
from state.journal.event import of_job
from state.journal.events import emit
from state.tables import job_lines, jobs
from state.tracing import current_request

SYSTEM = ""
_SECRET = re.compile(
    r"(?i)(\b(?:password|passwd|secret|token|access_key|secret_key|private_key|authorization)\b[\"']?\s*[:=]\s*)"
    r"(\"[^\"]*\"|'[^']*'|\S+)"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----"
    r"|://[^/@\s:]+:[^/@\s]+@"
    r"|\bghostcp_[0-9A-Za-z]{40}\b",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Job:
    """One run. `status` is pending, running, completed, failed or cancelled; `results` are per resource."""

    id: str
    job_type: str
    owner: str
    target: str
    status: str
    parameters: Mapping[str, Any]
    results: Mapping[str, Any]
    priority: int
    holder: str
    request_id: str
    retry_of: str | None
    scheduled_for: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    created_at: datetime


def redact(text: str) -> str:
    """`text` without anything that looks like a secret."""
    return _SECRET.sub(lambda m: f"{m[1]}[redacted]" if m[1] else "[redacted]", text)


def _redacted(value: Any) -> Any:
    """A result without anything that looks like a secret."""
    if isinstance(value, Mapping):
        return {name: _redacted(each) for name, each in value.items()}
    return redact(value) if isinstance(value, str) else value


def add_job(
    connection: Connection,
    job_type: str,
    *,
    owner: str = SYSTEM,
    target: str = "",
    parameters: Mapping[str, Any] | None = None,
    priority: int = 0,
    scheduled_for: datetime | None = None,
    holder: str = "",
    request_id: str = "",
    retry_of: str | None = None,
) -> str:
    """A new job's id; with a `holder` it is running from the start."""
    now, job_id = datetime.now(UTC), str(uuid4())
    state = {"status": "running", "started_at": now} if holder else {"status": "pending", "started_at": None}
    connection.execute(
        insert(jobs).values(
            id=job_id,
            job_type=job_type,
            owner=owner,
            target=target,
            parameters=dict(parameters or {}),
            results={},
            priority=priority,
            holder=holder,
            request_id=request_id or current_request(),
            retry_of=retry_of,
            scheduled_for=scheduled_for,
            created_at=now,
            **state,
        )
    )
    if holder:
        emit(connection, of_job(job_id, job_type, owner, "started", target))
    return job_id


def get_job(connection: Connection, job_id: str) -> Job:
    """The job. Raises NotFound."""
    row = connection.execute(select(jobs).where(jobs.c.id == job_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("no such job", resource="job", id=job_id)
    return job_from_row(row)


def job_from_row(row: Mapping[Any, Any]) -> Job:
    return Job(**{column.name: row[column.name] for column in jobs.columns})


def finish_job(
    connection: Connection, job_id: str, status: str, results: Mapping[str, Any], line: str = ""
) -> None:
    """Ends a running job with its results; a job that has already ended keeps its first end."""
    row = (jobs.c.id == job_id) & jobs.c.status.in_(("running", "pending"))
    told = {name: _redacted(result) for name, result in results.items()}
    ended = {"status": status, "results": told, "completed_at": datetime.now(UTC)}
    if connection.execute(update(jobs).where(row).values(**ended)).rowcount == 0:
        return
    if line:
        log(connection, job_id, line)
    job = get_job(connection, job_id)
    emit(connection, of_job(job_id, job.job_type, job.owner, status, job.target))


def note_so_far(connection: Connection, job_id: str, results: Mapping[str, Any]) -> None:
    """What there is to tell of a job that goes on."""
    row = (jobs.c.id == job_id) & (jobs.c.status == "running")
    connection.execute(update(jobs).where(row).values(results=dict(results)))


def amend_job(connection: Connection, job_id: str, parameters: Mapping[str, Any]) -> None:
    """Gives a pending job other parameters."""
    row = (jobs.c.id == job_id) & (jobs.c.status == "pending")
    connection.execute(update(jobs).where(row).values(parameters=dict(parameters)))


def drop_job(connection: Connection, job_id: str) -> None:
    """Takes back a pending job that there was nothing to do for in the end."""
    connection.execute(delete(jobs).where(jobs.c.id == job_id, jobs.c.status == "pending"))


def log(connection: Connection, job_id: str, *lines: str) -> None:
    """Appends redacted lines to a job's log."""
    now = datetime.now(UTC)
    rows = [{"job": job_id, "at": now, "line": redact(line)} for line in lines]
    if rows:
        connection.execute(insert(job_lines), rows)


def read_log(connection: Connection, job_id: str, after: int = 0) -> list[tuple[int, str]]:
    """The lines after line number `after`, as (number, text)."""
    query = select(job_lines.c.id, job_lines.c.line).where(job_lines.c.job == job_id, job_lines.c.id > after)
    return [(row.id, row.line) for row in connection.execute(query.order_by(job_lines.c.id))]
