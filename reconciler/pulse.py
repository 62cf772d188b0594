"""The pulse of a worker: its loops note in memory how they go, and a thread writes it down every few seconds."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from state.database import Database
from state.loops import Loop, record

BEAT_SECONDS = 5.0


@dataclass(slots=True)
class Turn:
    """One round of a loop: `idle` when there was nothing to do, `failed` when it could not be done."""

    idle: bool = False
    failed: bool = False
    seconds: float = 0.0


class Pulse:
    """What is new of each loop since it was last written down."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._news: dict[tuple[str, str], Loop] = {}
        self._busy: dict[tuple[str, str], datetime] = {}

    @contextmanager
    def turn(self, loop: str, target: str = "") -> Iterator[Turn]:
        """A round of the loop. What is raised in it has failed it."""
        key, made, start = (loop, target), Turn(), time.monotonic()
        with self._lock:
            self._busy[key] = datetime.now(UTC)
        try:
            yield made
        except BaseException:
            made.failed = True
            raise
        finally:
            made.seconds = time.monotonic() - start
            with self._lock:
                del self._busy[key]
                self._news[key] = _after(self._news.get(key), key, made)

    def take(self) -> list[Loop]:
        """What is new, which is then no longer; a round under way is heard of as long as it lasts."""
        with self._lock:
            news, self._news = self._news, {}
            for key, since in self._busy.items():
                known = news.get(key) or Loop(*key, datetime.now(UTC))
                news[key] = replace(known, at=datetime.now(UTC), busy_since=since)
        return sorted(news.values(), key=lambda loop: (loop.loop, loop.target))

    def keep(self, database: Database, stop: threading.Event) -> None:
        """Writes it down until told to stop, and once more then."""
        while not stop.wait(BEAT_SECONDS):
            self._write(database)
        self._write(database)

    def _write(self, database: Database) -> None:
        news = self.take()
        if news:
            with database.writing() as connection:
                record(connection, news)


def _after(known: Loop | None, key: tuple[str, str], turn: Turn) -> Loop:
    """A loop's news after one more round."""
    loop = replace(known or Loop(*key, datetime.now(UTC)), at=datetime.now(UTC), busy_since=None)
    if turn.idle and not turn.failed:
        return loop
    return replace(
        loop,
        rounds=loop.rounds + 1,
        failures=loop.failures + turn.failed,
        seconds=loop.seconds + turn.seconds,
    )
