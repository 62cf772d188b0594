"""Jobs: what was run, how it went, and its log as it happens."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from api.access import visible_jobs
from api.auth import authenticate
from api.door import Call, Reply, Route
from api.openapi import answer, list_parameters
from api.views import job_view, page_view
from state.errors import GhostError, NotFound
from state.jobs import cancel_job, read_log
from state.listing import Field, Listing, fetch, read
from state.tables import documents, job_lines, jobs

LONGEST_LOG = 200
RUNNING = frozenset({"pending", "running"})
_POLL = 0.25


def _owned_by(uids: Sequence[Any]) -> Any:
    return jobs.c.owner.in_(
        select(documents.c.name).where(documents.c.uid.in_(uids), documents.c.kind == "User")
    )


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
        "host": Field(jobs.c.target, str),
        "status": Field(jobs.c.status, str),
        "priority": Field(jobs.c.priority, int),
        "scheduled_for": Field(jobs.c.scheduled_for, datetime, nullable=True),
        "started_at": Field(jobs.c.started_at, datetime, nullable=True),
        "completed_at": Field(jobs.c.completed_at, datetime, nullable=True),
        "created_at": Field(jobs.c.created_at, datetime),
    },
    order="desc",
)
_QUERY = select(jobs, _OWNER.label("user_id"))


def _list(call: Call, connection: Connection) -> Reply:
    wanted = read(LISTING, call.request.query_params.multi_items())
    page = fetch(connection, _QUERY.where(visible_jobs(call.principal)), jobs, wanted)
    logs = _logs(connection, [row.id for row in page.rows])
    views = [job_view(row, row.user_id, logs.get(row.id, ())) for row in page.rows]
    return Reply(content=page_view("jobs", views, page))


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


def _visible(call: Call, connection: Connection) -> Any:
    job_id = call.argument("id")
    row = connection.execute(_QUERY.where(jobs.c.id == job_id, visible_jobs(call.principal))).one_or_none()
    if row is None:
        raise NotFound("Resource not found", resource="job", id=job_id)
    return row


def _get(call: Call, connection: Connection) -> Reply:
    row = _visible(call, connection)
    lines = [line for _, line in read_log(connection, row.id)]
    return Reply(content=job_view(row, row.user_id, lines))


def _cancel(call: Call) -> Reply:
    with call.house.database.writing() as connection:
        cancel_job(connection, _visible(call, connection).id)
    return Reply(204)


def _follow(call: Call, connection: Connection) -> Reply:
    _visible(call, connection)
    last = call.request.headers.get("last-event-id", "")
    after = int(last) if last.isascii() and last.isdigit() and len(last) < 19 else 0
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    stream = StreamingResponse(_events(call, after), media_type="text/event-stream", headers=headers)
    return Reply(response=stream)


async def _events(call: Call, after: int) -> AsyncIterator[str]:
    """Server-sent events: one `line` each, then one `end` with the job's status."""
    status = "running"
    while True:
        try:
            status, lines = await run_in_threadpool(_news, call, after)
        except GhostError as error:
            yield event("error", 0, error.code)
            return
        for number, line in lines:
            yield event("line", number, line)
            after = number
        if status not in RUNNING:
            yield event("end", after, status)
            return
        await asyncio.sleep(_POLL)


def _news(call: Call, after: int) -> tuple[str, list[tuple[int, str]]]:
    """The job's status and its new lines, for who is still allowed to see them; the status is read first."""
    with call.house.database.reading() as connection:
        authenticate(connection, call.house.settings.var, call.request.headers.get("authorization", ""))
        status = str(_visible(call, connection).status)
        return status, read_log(connection, call.argument("id"), after)


def event(name: str, number: int, data: str) -> str:
    """One server-sent event (HTML standard, section 9.2); the data is a JSON text, so it has one line."""
    return f"event: {name}\nid: {number}\ndata: {json.dumps(data)}\n\n"


_TAG = {"tags": ["jobs"]}
_ID = {"parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]}
ROUTES = (
    Route(
        "GET",
        "/jobs",
        "List jobs",
        reads=_list,
        docs={**_TAG, "parameters": list_parameters(LISTING), **answer(200, "A page of jobs")},
    ),
    Route(
        "GET", "/jobs/{id}", "Get a job with its log", reads=_get, docs=_TAG | _ID | answer(200, "The job")
    ),
    Route(
        "DELETE",
        "/jobs/{id}",
        "Cancel a pending job",
        writes=_cancel,
        docs=_TAG | _ID | answer(204, "Cancelled"),
    ),
    Route(
        "GET",
        "/jobs/{id}/log",
        "Follow a job's log as server-sent events",
        reads=_follow,
        docs=_TAG | _ID | answer(200, "Events `line` (a JSON text each), then `end` with the status"),
    ),
)
