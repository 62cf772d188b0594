"""Jobs: what was run and will be, and how it went; asking for one, moving, cancelling and retrying it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, or_, select

from api.access import signed_in
from api.call import Call, Deed, Reply
from api.collection import Collection, Rows, Writing, routes
from api.door import Route
from api.job_wishes import FIXED, JobWish, cancel, change, check_moved, create, current
from api.openapi.describe import Answer, Docs
from api.openapi.parameters import IF_MATCH, path_parameters, write_parameters
from api.openapi.shapes import JOB
from api.options import expect
from api.performing import perform
from api.views import job_view
from api.visibility import visible_jobs
from state.errors import Fault, Invalid
from state.job_queue import retry_job
from state.jobs import get_job
from state.listing import Field, Listing
from state.tables import documents, job_lines, jobs

LONGEST_LOG = 200
EXAMPLE = {
    "job_type": "reconcile",
    "user_id": "123e4567-e89b-12d3-a456-426614174000",
    "parameters": {"documents": ["WebDomain/newsite.com"]},
    "priority": 1,
    "scheduled_for": "2024-01-01T03:00:00Z",
}


def _owned_by(uids: Sequence[Any]) -> Any:
    names = select(documents.c.name).where(documents.c.uid.in_(uids), documents.c.kind == "User")
    if None in uids:
        return or_(jobs.c.owner.in_(names), _OWNER.is_(None))
    return jobs.c.owner == names.scalar_subquery() if len(uids) == 1 else jobs.c.owner.in_(names)


_OWNER = (
    select(documents.c.uid)
    .where(documents.c.kind == "User", documents.c.name == jobs.c.owner, documents.c.deleted_at.is_(None))
    .correlate(jobs)
    .scalar_subquery()
)
LISTING = Listing(
    {
        "id": Field(jobs.c.id, UUID),
        "job_type": Field(jobs.c.job_type, str),
        "user_id": Field(_OWNER, UUID, nullable=True, among=_owned_by),
        "host": Field(func.nullif(jobs.c.target, ""), str, nullable=True),
        "status": Field(jobs.c.status, str),
        "priority": Field(jobs.c.priority, int),
        "request_id": Field(func.nullif(jobs.c.request_id, ""), str, nullable=True),
        "retry_of": Field(jobs.c.retry_of, UUID, nullable=True),
        "scheduled_for": Field(jobs.c.scheduled_for, datetime, nullable=True),
        "started_at": Field(jobs.c.started_at, datetime, nullable=True),
        "completed_at": Field(jobs.c.completed_at, datetime, nullable=True),
        "created_at": Field(jobs.c.created_at, datetime),
    },
    search=("job_type", "host", "status", "request_id"),
    order="desc",
)
_QUERY = select(jobs, _OWNER.label("user_id"))


def _views(_: Call, connection: Connection, rows: Rows) -> list[dict[str, Any]]:
    logs = _logs(connection, [row.id for row in rows])
    return [job_view(row, row.user_id, logs.get(row.id, ())) for row in rows]


JOBS = Collection(
    "/jobs",
    "jobs",
    "job",
    "jobs",
    _QUERY,
    jobs,
    LISTING,
    lambda call, _: visible_jobs(call.principal),
    _views,
    JOB,
    writing=Writing(JobWish, current, create, change, cancel, EXAMPLE, fixed=FIXED),
    whose=lambda row: str(row.owner),
    observed=frozenset({"output_log", "results"}),
)


def _logs(connection: Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    """The last lines of each job's log."""
    place = (
        func.row_number().over(partition_by=job_lines.c.job, order_by=job_lines.c.id.desc()).label("place")
    )
    lines = (
        select(job_lines.c.id, job_lines.c.job, job_lines.c.line, place)
        .where(job_lines.c.job.in_(ids))
        .subquery()
    )
    found: dict[str, list[str]] = {}
    query = select(lines).where(lines.c.place <= LONGEST_LOG).order_by(lines.c.id)
    for row in connection.execute(query) if ids else ():
        found.setdefault(row.job, []).append(row.line)
    return found


def _retry(call: Call) -> Reply:
    if call.json() not in (None, {}):
        raise Invalid([Fault("", "it is tried again as it was: send no body")])

    def work(connection: Connection) -> Reply:
        row = JOBS.find(call, connection, call.argument("id"))
        expect(call.request, JOBS.state(JOBS.view(call, connection, row)))
        check_moved(call, row)
        made = JOBS.find(call, connection, retry_job(connection, get_job(connection, row.id)))
        view = JOBS.view(call, connection, made)
        call.did(Deed("job", made.id, made.job_type, made.owner, after=view))
        call.wake(made.target)
        headers = {"ETag": JOBS.tag(view), "Location": f"/api/v1/jobs/{made.id}"}
        return Reply(201, view, headers)

    return perform(call, work)


_HEADERS = {"ETag": "The entity tag.", "Location": "Where the new job is."}
ROUTES = (
    *routes(JOBS),
    Route(
        "POST",
        "/jobs/{id}/retry",
        "Try a failed or cancelled job again",
        signed_in("jobs:write"),
        Docs(
            "jobs",
            (Answer(201, "The new job, which is like it.", JOB, headers=_HEADERS),),
            (*path_parameters("/{id}"), *write_parameters(creating=True), IF_MATCH),
            operation_id="retryJob",
        ),
        writes=_retry,
    ),
)
