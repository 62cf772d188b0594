"""Jobs: what was run, how it went, and its log as it happens."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, or_, select
from starlette.concurrency import run_in_threadpool

from api.access import signed_in, visible_jobs
from api.call import Call, Deed, Reply
from api.collection import Collection, Rows, routes
from api.describe import Answer, Docs
from api.door import Route
from api.openapi import LAST_EVENT_ID, path_parameters, write_parameters
from api.options import expect
from api.performing import perform
from api.schemas import TEXT, one_of, shape, told
from api.server_sent import MEDIA, EventStream, frame, last_event_id
from api.shapes import JOB
from api.views import job_view
from state.errors import GhostError
from state.jobs import cancel_job, read_log
from state.listing import Field, Listing
from state.tables import documents, job_lines, jobs

LONGEST_LOG = 200
RUNNING = frozenset({"pending", "running"})
_POLL = 0.25


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


def _cancel(call: Call) -> Reply:
    def work(connection: Connection) -> Reply:
        row = JOBS.find(call, connection, call.argument("id"))
        expect(call.request, JOBS.tag(JOBS.view(call, connection, row)))
        cancel_job(connection, row.id)
        call.did(
            Deed("job", row.id, row.job_type, row.owner, {"status": row.status}, {"status": "cancelled"})
        )
        return Reply(204)

    return perform(call, work)


def _follow(call: Call, connection: Connection) -> Reply:
    JOBS.find(call, connection, call.argument("id"))
    after = last_event_id(call.request) or 0
    return Reply(response=EventStream(_events(call, after)))


async def _events(call: Call, after: int) -> AsyncIterator[bytes]:
    """Server-sent events: one `line` each, then one `end` with the job's status.

    Without an `end` the API has stopped, and one asks again from the last line on.
    """
    status = "running"
    while not call.house.stopping.is_set():
        try:
            status, lines = await run_in_threadpool(_news, call, after)
        except GhostError as error:
            yield frame("error", after, json.dumps(error.code))
            return
        for number, line in lines:
            yield frame("line", number, json.dumps(line))
            after = number
        if status not in RUNNING:
            yield frame("end", after, json.dumps(status))
            return
        await asyncio.sleep(_POLL)


def _news(call: Call, after: int) -> tuple[str, list[tuple[int, str]]]:
    """The job's status and its new lines, for who is still allowed to see them; the status is read first."""
    with call.house.database.reading() as connection:
        call.proved(connection)
        status = str(JOBS.find(call, connection, call.argument("id")).status)
        return status, read_log(connection, call.argument("id"), after)


_PATH = path_parameters("/{id}")
_EVENT = shape(
    "LogEvent",
    {
        "event": one_of("line", "end", "error"),
        "id": told(TEXT, "The number of the last line: for `Last-Event-ID`."),
        "data": told(TEXT, "A line, the job's status, or the code of an error; as a JSON text."),
    },
    "One event of the stream.",
)
_STREAM = Answer(
    200,
    "Events `line`, each with a line as a JSON text, then `end` with the job's status.",
    _EVENT,
    'event: line\nid: 17\ndata: "reload nginx ok"\n\nevent: end\nid: 17\ndata: "completed"\n\n',
    media=(MEDIA,),
)
ROUTES = (
    *routes(JOBS),
    Route(
        "DELETE",
        "/jobs/{id}",
        "Cancel a pending job",
        signed_in("jobs:write"),
        Docs("jobs", (Answer(204, "It is cancelled."),), (*_PATH, *write_parameters())),
        writes=_cancel,
    ),
    Route(
        "GET",
        "/jobs/{id}/log",
        "Follow a job's log as server-sent events",
        signed_in("jobs:read"),
        Docs("jobs", (_STREAM,), (*_PATH, LAST_EVENT_ID)),
        reads=_follow,
    ),
)
