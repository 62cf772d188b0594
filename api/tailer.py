"""The tailer: one reader of the events for a whole process, which passes each on to those who listen.

It runs while somebody listens. No listener costs a thread, a connection to the database or a query, but for what it
missed and for a look, now and then, at whether it may still listen.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from threading import Event as Flag
from typing import Any, TypeVar

import structlog
from anyio import CapacityLimiter, to_thread
from sqlalchemy import Connection, Row
from sqlalchemy.exc import SQLAlchemyError

from api.errors import TooMany
from api.listener import Listener
from api.server_sent import BEAT, frame
from state.cursors import PRUNED, position
from state.database import Database
from state.journal.event import circle, circles, message
from state.journal.events import events_after, last_number, told_between

POLL, PAUSE = 0.2, 1.0
BEAT_SECONDS, CHECK_SECONDS = 15.0, 10.0
MOST, MOST_EACH = 5000, 20
BATCH, WINDOW = 500, 10_000
RESET = "reset"
_CHECKED_AT_ONCE = 25
_log = structlog.get_logger()
_T = TypeVar("_T")


class Tailer:
    """Reads events in the order of their numbers, which is that of commits, and gives them to listeners."""

    def __init__(self, database: Database, stopping: Flag) -> None:
        self._database, self._stopping = database, stopping
        self._circles: dict[tuple[str, str], set[Listener]] = {}
        self._streams: Counter[str] = Counter()
        self._last = 0
        self._task: asyncio.Task[None] | None = None
        self._beaten = self._checked = time.monotonic()
        self._unchecked: list[Listener] = []
        self._limiter = CapacityLimiter(4)

    async def join(self, listener: Listener) -> None:
        """From now on the listener is given frames. Raises TooMany."""
        uid = listener.wanted.principal.uid
        self.open(uid)
        try:
            if self._task is None:
                last = await self._ask(last_number)
                if self._task is None:
                    self._last, self._task = last, asyncio.create_task(self._run())
        except BaseException:
            self.close(uid)
            raise
        listener.since = self._last
        self._circles.setdefault(_circle(listener), set()).add(listener)

    def leave(self, listener: Listener) -> None:
        """The listener is given nothing any more."""
        others = self._circles.get(_circle(listener), set())
        others.discard(listener)
        if not others:
            self._circles.pop(_circle(listener), None)
        self.close(listener.wanted.principal.uid)

    def open(self, uid: str) -> None:
        """Counts a stream of this user, of whatever sort. Raises TooMany."""
        if self._streams[uid] >= MOST_EACH or self._streams.total() >= MOST:
            raise TooMany("too many streams are open: close one", code="too_many_streams", retry_after=5)
        self._streams[uid] += 1

    def close(self, uid: str) -> None:
        """The stream has ended."""
        self._streams[uid] -= 1
        if not self._streams[uid]:
            del self._streams[uid]

    async def missed(self, listener: Listener) -> AsyncIterator[bytes]:
        """What happened between the event that the listener saw last and those that it is given."""
        after = listener.wanted.after
        if after is None:
            return
        pruned = await self._ask(partial(position, reader=PRUNED))
        if after < pruned:
            yield frame(RESET, pruned, "{}")
            after = pruned
        while after < listener.since:
            upto, wanted = min(after + WINDOW, listener.since), listener.wanted
            rows = await self._ask(
                partial(told_between, after=after, upto=upto, known=wanted.past, limit=BATCH)
            )
            frames = [_frame(row) for row in rows if not wanted.names or row.event in wanted.names]
            if frames:
                yield b"".join(frames)
            after = rows[-1].id if len(rows) == BATCH else upto

    async def _run(self) -> None:
        try:
            while self._circles and not self._stopping.is_set():
                await self._turn()
        except Exception:
            _log.exception("streams of events end after a fault of ours")
        finally:
            self._task = None
            for listener in self._listeners():
                listener.end()

    async def _turn(self) -> None:
        """Passes on what is new, and looks after some of the listeners."""
        some = self._next_to_check()
        try:
            rows, gone = await self._ask(partial(_look, after=self._last, listeners=some))
        except SQLAlchemyError as error:
            _log.warning("events could not be read", error=type(error).__name__)
            await asyncio.sleep(PAUSE)
            return
        for row in rows:
            self._pass_on(row)
        for listener in gone:
            listener.end()
        self._beat()
        if len(rows) < BATCH:
            await asyncio.sleep(POLL)

    def _pass_on(self, row: Row[Any]) -> None:
        self._last, made = row.id, b""
        for each in circles(row.owner, row.manager):
            for listener in tuple(self._circles.get(each, ())):
                if not listener.wanted.names or row.event in listener.wanted.names:
                    made = made or _frame(row)
                    listener.give(made)

    def _beat(self) -> None:
        """Nobody on the way shall take a silent stream for a dead one."""
        if time.monotonic() - self._beaten >= BEAT_SECONDS:
            self._beaten = time.monotonic()
            for listener in self._listeners():
                listener.beat(BEAT)

    def _next_to_check(self) -> list[Listener]:
        """Those whose turn it is to be asked whether they may still listen."""
        if not self._unchecked and time.monotonic() - self._checked >= CHECK_SECONDS:
            self._checked, self._unchecked = time.monotonic(), self._listeners()
        share = max(_CHECKED_AT_ONCE, self._streams.total() // _CHECKED_AT_ONCE)
        some, self._unchecked = self._unchecked[:share], self._unchecked[share:]
        return some

    async def _ask(self, question: Callable[[Connection], _T]) -> _T:
        """What the database says, asked in a thread, of which there are few for this."""

        def ask() -> _T:
            with self._database.reading() as connection:
                return question(connection)

        return await to_thread.run_sync(ask, limiter=self._limiter)

    def _listeners(self) -> list[Listener]:
        return [listener for each in self._circles.values() for listener in each]


def _circle(listener: Listener) -> tuple[str, str]:
    principal = listener.wanted.principal
    return circle(principal.role, principal.name)


def _look(
    connection: Connection, after: int, listeners: Sequence[Listener]
) -> tuple[Sequence[Row[Any]], list[Listener]]:
    """The events after this one, and those of the listeners who may listen no more."""
    gone = [listener for listener in listeners if not listener.wanted.still(connection)]
    return events_after(connection, after, BATCH), gone


def _frame(row: Row[Any]) -> bytes:
    return frame(row.event, row.id, message(row.event, row.data, row.at))
