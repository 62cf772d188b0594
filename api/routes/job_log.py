"""A job's log as it grows, as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator

from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from api.access import signed_in
from api.call import Call, Reply
from api.door import Route
from api.errors import TooMany, problem
from api.openapi.describe import Answer, Docs
from api.openapi.parameters import LAST_EVENT_ID, path_parameters
from api.openapi.schemas import TEXT, one_of, shape, told
from api.routes.jobs import JOBS
from api.server_sent import MEDIA, EventStream, frame, last_event_id
from state.errors import GhostError
from state.jobs import read_log

POLLS = {"pending": 2.0, "running": 0.25}


class Growing(EventStream):
    """The stream of a log; each user can follow so many streams at a time, those of `/events` counted with them."""

    def __init__(self, call: Call, after: int) -> None:
        self._tailer, self._uid = call.house.tailer, call.principal.uid
        super().__init__(_events(call, after))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._tailer.open(self._uid)
        except TooMany as error:
            await problem(error)(scope, receive, send)
            return
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._tailer.close(self._uid)


def _follow(call: Call, connection: Connection) -> Reply:
    JOBS.find(call, connection, call.argument("id"))
    after = last_event_id(call.request) or 0
    return Reply(response=Growing(call, after))


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
        if status not in POLLS:
            yield frame("end", after, json.dumps(status))
            return
        await asyncio.sleep(POLLS[status])


def _news(call: Call, after: int) -> tuple[str, list[tuple[int, str]]]:
    """The job's status and its new lines, for who is still allowed to see them; the status is read first."""
    with call.house.database.reading() as connection:
        call.proved(connection)
        status = str(JOBS.find(call, connection, call.argument("id")).status)
        return status, read_log(connection, call.argument("id"), after)


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
    Route(
        "GET",
        "/jobs/{id}/log",
        "Follow a job's log as server-sent events",
        signed_in("jobs:read"),
        Docs("jobs", (_STREAM,), (*path_parameters("/{id}"), LAST_EVENT_ID)),
        reads=_follow,
    ),
)
