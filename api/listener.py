"""Somebody who listens to a stream of events: what waits to be sent, bounded, and the end of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection

from api.auth import Principal

MOST_WAITING = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one listens to: events of these names (none: all), from after this one on (none: from now on).

    `past` is the condition of what one may know of; `still` says whether one may go on listening.
    """

    principal: Principal
    names: frozenset[str]
    after: int | None
    past: ColumnElement[bool]
    still: Callable[[Connection], bool]


@dataclass(eq=False, slots=True)
class Listener:
    """One stream, for one event loop. `since` is the number of the event after which it is given frames.

    Who does not keep up is cut off, and comes back to where it was by the number of the last event.
    """

    wanted: Wanted
    since: int = 0
    cancel: Callable[[], None] = lambda: None
    _frames: list[bytes] = field(default_factory=list)
    _ready: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: bool = False

    def give(self, frame: bytes) -> None:
        """Something to be sent."""
        if len(self._frames) >= MOST_WAITING:
            self._frames.clear()
            self.end()
            self.cancel()
        elif not self._ended:
            self._frames.append(frame)
            self._ready.set()

    def beat(self, frame: bytes) -> None:
        """Something to be sent when there is nothing else."""
        if not self._frames:
            self.give(frame)

    def end(self) -> None:
        """Nothing comes after what waits."""
        self._ended = True
        self._ready.set()

    async def chunk(self) -> bytes:
        """All that waits, as soon as something does; nothing at the end."""
        while not self._frames and not self._ended:
            self._ready.clear()
            await self._ready.wait()
        sent = b"".join(self._frames)
        self._frames.clear()
        return sent
