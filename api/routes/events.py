"""What happens to one's own objects, as server-sent events."""

import asyncio
import re
from collections.abc import AsyncIterator
from functools import partial

from anyio import CancelScope
from sqlalchemy import Connection, select
from starlette.types import Receive, Scope, Send

from api.access import admit, signed_in
from api.call import Call, Reply
from api.door import Route
from api.errors import problem
from api.listener import Listener, Wanted
from api.openapi.describe import Answer, Docs, Parameter
from api.openapi.parameters import LAST_EVENT_ID
from api.openapi.schemas import TEXT, one_of, shape, told
from api.server_sent import MEDIA, EventStream, last_event_id, retry
from api.tailer import Tailer
from api.visibility import visible_events
from state.errors import Fault, GhostError, Invalid
from state.journal.event import ALIASES, event_names
from state.journal.tables import events
from state.tables import documents

_RULE = signed_in("events:read")
NAMES = frozenset((*event_names(), *ALIASES))
LONGEST = 3600
_COME_BACK = 3.0
_SECONDS = re.compile(r"[0-9]{1,4}")


class Following(EventStream):
    """A stream that is given events while it is sent, and cut off when nobody takes them."""

    def __init__(self, tailer: Tailer, wanted: Wanted, wait: int | None) -> None:
        self._tailer, self._listener, self._wait = tailer, Listener(wanted), wait
        super().__init__(self._frames())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._tailer.join(self._listener)
        except Exception as error:
            await problem(error)(scope, receive, send)
            return
        try:
            with CancelScope() as cut:
                self._listener.cancel = cut.cancel
                await super().__call__(scope, receive, send)
        finally:
            self._tailer.leave(self._listener)

    async def _frames(self) -> AsyncIterator[bytes]:
        yield retry(_COME_BACK)
        async for chunk in self._tailer.missed(self._listener):
            yield chunk
        if self._wait is not None:
            asyncio.get_running_loop().call_later(self._wait, self._listener.end)
        while chunk := await self._listener.chunk():
            yield chunk


def _follow(call: Call, connection: Connection) -> Reply:
    names, wait = _options(call)
    known = visible_events(call.principal)
    if call.principal.role != "admin":
        # The name may have been another's before: what happened then is not for who has it now.
        since = select(documents.c.created_at).where(documents.c.uid == call.principal.uid)
        known &= events.c.at >= connection.execute(since).scalar_one()
    wanted = Wanted(call.principal, names, last_event_id(call.request), known, partial(_still, call))
    return Reply(response=Following(call.house.tailer, wanted, wait))


def _still(call: Call, connection: Connection) -> bool:
    """Whether who listens is still who it was, and may still."""
    try:
        principal = call.proved(connection)
        admit(principal, _RULE)
    except GhostError:
        return False
    return (principal.uid, principal.role) == (call.principal.uid, call.principal.role)


def _options(call: Call) -> tuple[frozenset[str], int | None]:
    """The names asked for, and for how long. Raises Invalid with every parameter that is unknown or wrong."""
    names: list[str] = []
    wait, faults = None, []
    for name, value in call.request.query_params.multi_items():
        if name == "event":
            names += value.split(",")
        elif name == "wait" and _SECONDS.fullmatch(value) and int(value) <= LONGEST:
            wait = int(value)
        elif name == "wait":
            faults.append(Fault(name, f"must be whole seconds, from 0 to {LONGEST}"))
        else:
            faults.append(Fault(name, "is no parameter of this request"))
    if not set(names) <= NAMES:
        unknown = ", ".join(sorted(set(names) - NAMES))
        faults.append(Fault("event", f"there is no {unknown}; there are {', '.join(sorted(NAMES))}"))
    if faults:
        raise Invalid(faults)
    return frozenset(ALIASES.get(each, each) for each in names), wait


_SHAPE = shape(
    "Event",
    {
        "event": told(TEXT, "Its name, or `reset`."),
        "id": told(TEXT, "Its number: for `Last-Event-ID`."),
        "data": told(TEXT, "What happened, as a JSON text."),
    },
    "One event of the stream.",
)
_STREAM = Answer(
    200,
    "Events by their names, each with the body that webhooks are sent. `reset` says that what one wanted to go on "
    "after is no longer kept: read again what matters.",
    _SHAPE,
    'event: domain.created\nid: 17\ndata: {"event":"domain.created","data":{"domain":"example.com"},'
    '"timestamp":"2026-01-01T12:00:00Z"}\n\n',
    media=(MEDIA,),
)
_EVENT = Parameter(
    "event",
    {"type": "array", "items": one_of(*sorted(NAMES)), "minItems": 1},
    "Only these events, comma-separated.",
)
_WAIT = Parameter(
    "wait",
    {"type": "integer", "minimum": 0, "maximum": LONGEST},
    "End after so many seconds; with 0 as soon as all that was missed is told. Without it, the stream goes on.",
    example=0,
)
ROUTES = (
    Route(
        "GET",
        "/events",
        "Follow what happens to one's own objects, as server-sent events",
        _RULE,
        Docs("events", (_STREAM,), (_EVENT, _WAIT, LAST_EVENT_ID)),
        reads=_follow,
    ),
)
