"""The courier's ledger: outcomes that come while a transaction is under way share the next one."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection

from reconciler.webhooks.attempts import Outcome
from reconciler.webhooks.outbox import Route, record

Entry = tuple[Route, Outcome]
Versions = Mapping[str, datetime]
Promise = tuple[Entry, asyncio.Future[datetime | None]]


class Ledger:
    """`writing` does work in a transaction; for one event loop."""

    def __init__(self, writing: Callable[[Callable[[Connection], Versions]], Versions]) -> None:
        self._writing = writing
        self._entries: list[Promise] = []
        self._writer: asyncio.Task[None] | None = None

    async def enter(self, route: Route, outcome: Outcome) -> datetime | None:
        """Returns when the outcome is on disk: the version of its webhook, none when that is active no more."""
        future: asyncio.Future[datetime | None] = asyncio.get_running_loop().create_future()
        self._entries.append(((route, outcome), future))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        return await future

    async def _write(self) -> None:
        while self._entries:
            batch, self._entries = self._entries, []
            try:
                versions = await asyncio.to_thread(self._store, [entry for entry, _ in batch])
            except Exception as error:
                for _, future in _waiting(batch):
                    future.set_exception(error)
            else:
                for route, future in _waiting(batch):
                    future.set_result(versions.get(route.id))
        self._writer = None

    def _store(self, entries: Sequence[Entry]) -> Versions:
        now = datetime.now(UTC)
        return self._writing(lambda connection: record(connection, entries, now))


def _waiting(batch: Sequence[Promise]) -> list[tuple[Route, asyncio.Future[datetime | None]]]:
    """Who still waits: who was cancelled meanwhile does not."""
    return [(route, future) for (route, _), future in batch if not future.done()]
