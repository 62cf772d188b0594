"""The courier: sends each webhook what waits for it, one after the other, and many webhooks at the same time.

One worker at a time is the courier, by a lease. What it sends to a webhook is recorded before the next is sent, so
that after a crash at most the one under way is sent twice, with the same id.
"""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import Connection

from reconciler.lease import Contender, Lease
from reconciler.pulse import Pulse
from reconciler.webhooks.attempts import DELAYS, Answer, judge
from reconciler.webhooks.fan_out import BATCH, behind, fan_out
from reconciler.webhooks.ledger import Ledger
from reconciler.webhooks.outbox import Parcel, Route, due, prune, waiting
from reconciler.webhooks.outgoing import Exchange, Line
from reconciler.webhooks.steady import Steady
from state.database import Database
from state.errors import Superseded, Unreadable
from state.journal.event import PING
from state.journal.signing import signatures
from state.loops import DELIVERIES
from state.settings import Settings
from state.vault import unseal

LEASE = "@webhooks"  # among the names of hosts there is none with this sign
POLL = 0.25
PLACES = 500
PRUNE_SECONDS = 3600.0
_CONTEND = 1.0
_FIXED = {"Content-Type": "application/json", "User-Agent": "GhostCP-Webhooks"}
_T = TypeVar("_T")


def deliver(
    settings: Settings,
    database: Database,
    stop: threading.Event,
    exchange: Exchange | None = None,
    steady: Steady | None = None,
    pulse: Pulse | None = None,
) -> None:
    """Tells webhooks what happens while no other worker does, until `stop` is set."""
    contender = Contender(database)
    exchange = exchange or Exchange(settings.webhook_networks)
    steady, pulse = steady or Steady(), pulse or Pulse()
    while not stop.is_set():
        lease = contender.take(LEASE)
        if lease is None:
            stop.wait(_CONTEND)
            continue
        with lease, suppress(Superseded):
            asyncio.run(Courier(settings, database, lease, exchange, steady, pulse).work(stop))


class Courier:
    """One holder of the lease, with what it has under way."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        lease: Lease,
        exchange: Exchange,
        steady: Steady,
        pulse: Pulse,
    ) -> None:
        self._settings, self._database, self._lease = settings, database, lease
        self._exchange, self._steady, self._pulse = exchange, steady, pulse
        self._runs: dict[str, asyncio.Task[None]] = {}
        self._failure: BaseException | None = None
        self._wake = asyncio.Event()
        self._ledger = Ledger(self._writing)
        self._pruned = float("-inf")
        self._ending = False

    async def work(self, stop: threading.Event) -> None:
        """Until told to stop, then until what is under way has been answered. Raises Superseded."""
        try:
            while not stop.is_set():
                self._check()
                self._wake.clear()
                with self._pulse.turn(DELIVERIES) as turn:
                    full = await asyncio.to_thread(self._fan_out)
                    routes = await asyncio.to_thread(self._due)
                    for route in routes:
                        self._start(route)
                    await self._prune()
                    turn.idle = not full and not routes
                if not full:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._wake.wait(), POLL)
            self._ending = True
            await asyncio.gather(*list(self._runs.values()))
        finally:
            for task in list(self._runs.values()):
                task.cancel()
            await asyncio.gather(*list(self._runs.values()), return_exceptions=True)

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._lease.lost.is_set():
            raise Superseded("another worker delivers now")

    def _start(self, route: Route) -> None:
        task = asyncio.create_task(self._run(route))
        self._runs[route.id] = task
        task.add_done_callback(lambda done: self._ended(route.id, done))

    def _ended(self, webhook: str, task: asyncio.Task[None]) -> None:
        self._runs.pop(webhook, None)
        if not task.cancelled() and task.exception() is not None:
            self._failure = task.exception()
        self._wake.set()

    async def _run(self, route: Route) -> None:
        """Sends what waits for one webhook until nothing does, or something fails."""
        async with self._exchange.line(route.url, route.owner) as line:
            while parcels := await asyncio.to_thread(self._waiting, route):
                for parcel in parcels:
                    if not await self._hand_over(line, route, parcel):
                        return
                if len(self._runs) >= PLACES:
                    return

    async def _hand_over(self, line: Line, route: Route, parcel: Parcel) -> bool:
        """Sends one delivery and records what came of it, if it was tried; whether the next may follow."""
        try:
            secret = unseal(self._settings.var, route.secret)
        except Unreadable:
            answer: Answer | None = Answer(None, "its secret cannot be read: set a new one")
        else:
            body = parcel.body.encode()
            signed = signatures(secret, parcel.id, int(time.time()), body)
            answer = await line.post({**_FIXED, **signed}, body)
        if answer is None:
            return False
        outcome = judge(
            answer,
            route.id,
            parcel.id,
            attempts=parcel.attempts,
            failing_since=route.failing_since,
            now=self._steady.now(),
            stretch=random.uniform(1, 1.1),  # noqa: S311 - so that not all come back at the same moment
            delays=() if parcel.event == PING else DELAYS,
        )
        version = await self._ledger.enter(route, outcome)
        return answer.good and version == route.version and route.failing_since is None and not self._ending

    async def _prune(self) -> None:
        """Removes what is old, a little at a time, as long as there is more each time, then once an hour."""
        if time.monotonic() - self._pruned >= PRUNE_SECONDS:
            before = self._steady.now() - timedelta(days=self._settings.event_days)
            if not await asyncio.to_thread(self._writing, lambda connection: prune(connection, before)):
                self._pruned = time.monotonic()

    def _fan_out(self) -> bool:
        """Whether there is more to fan out."""
        with self._database.reading() as connection:
            if not behind(connection):
                return False
        return self._writing(fan_out) == BATCH

    def _due(self) -> list[Route]:
        with self._database.reading() as connection:
            return due(connection, set(self._runs), PLACES - len(self._runs), self._steady.now())

    def _waiting(self, route: Route) -> Sequence[Parcel]:
        with self._database.reading() as connection:
            return waiting(connection, route.id)

    def _writing(self, work: Callable[[Connection], _T]) -> _T:
        """Does the work in a transaction of who holds the lease. Raises Superseded."""
        with self._database.writing() as connection:
            self._lease.check(connection)
            return work(connection)
