"""Webhooks, what happens, and couriers that tell of it: the real loops, with a clock that the test moves."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select, update

from reconciler.webhooks.courier import deliver
from reconciler.webhooks.outgoing import Exchange
from reconciler.webhooks.steady import Steady
from state import store
from state.database import Database
from state.journal import webhooks
from state.journal.event import Event
from state.journal.events import emit
from state.journal.tables import deliveries
from state.journal.tables import webhooks as hooks
from state.journal.webhooks import Wish
from state.kinds import KINDS
from state.settings import Settings
from state.tables import documents
from state.targets import list_hosts
from tests.reconciler.webhooks.receivers import Receiver

SOON = 20.0
LOOPBACK = (ip_network("127.0.0.0/8"),)


class Hands:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.steady = Steady(lambda: datetime.now(UTC), lambda: self.seconds)


class Office:
    """A database with users: `admin`, the reseller `resi` with its user `anna`, and `bert`."""

    def __init__(self, database: Database, var: Path) -> None:
        self.database, self.hands = database, Hands()
        self.settings = Settings(var=var)
        self.uids: dict[str, str] = {}
        with database.writing() as connection:
            list_hosts(connection, {"web1": "192.0.2.1"})
            store.create(connection, KINDS["Package"], "default", "", {}, actor="setup")
        self.user("admin", role="admin")
        self.user("resi", role="reseller")
        self.user("anna", owner="resi")
        self.user("bert")

    def user(self, name: str, owner: str = "", **values: Any) -> None:
        spec = {"email": f"{name}@example.com", **values}
        with self.database.writing() as connection:
            made = store.create(connection, KINDS["User"], name, owner, spec, actor="setup", reserved=True)
        self.uids[name] = made.uid

    def hook(
        self, owner: str, receiver: Receiver, *events: str, secret: str = "webhook-secret-key", url: str = ""
    ) -> str:
        wish = Wish(url or receiver.url, events or ("job.started",), secret=secret)
        with self.database.writing() as connection:
            return webhooks.add(connection, self.settings.var, self.uids[owner], wish)

    def happen(self, owner: str, *numbers: int, name: str = "job.started") -> None:
        """Events, each in a transaction of its own."""
        for number in numbers:
            with self.database.writing() as connection:
                emit(connection, Event(name, owner, {"number": number}))

    def change(self, webhook: str, **values: Any) -> None:
        with self.database.writing() as connection:
            connection.execute(update(hooks).where(hooks.c.id == webhook).values(**values))

    def suspend(self, owner: str, *, suspended: bool = True) -> None:
        with self.database.writing() as connection:
            row = documents.c.uid == self.uids[owner]
            spec = dict(connection.execute(select(documents.c.spec).where(row)).scalar_one())
            spec["is_suspended"] = suspended
            connection.execute(update(documents).where(row).values(spec=spec))

    def rows(self, webhook: str, *statuses: str) -> Sequence[Row[Any]]:
        query = select(deliveries).where(deliveries.c.webhook == webhook).order_by(deliveries.c.number)
        with self.database.reading() as connection:
            return [each for each in connection.execute(query) if not statuses or each.status in statuses]

    def webhook(self, webhook: str) -> Any:
        with self.database.reading() as connection:
            return connection.execute(select(hooks).where(hooks.c.id == webhook)).one()

    @contextmanager
    def courier(self, exchange: Exchange | None = None) -> Iterator[threading.Event]:
        """A worker's loop that delivers; what it raises fails the test."""
        stop, raised = threading.Event(), []

        def work() -> None:
            try:
                deliver(
                    self.settings,
                    self.database,
                    stop,
                    exchange or Exchange(LOOPBACK, seconds=2),
                    self.hands.steady,
                )
            except Exception as error:
                raised.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield stop
        finally:
            stop.set()
            thread.join()
        assert raised == []


def until(condition: Callable[[], object]) -> None:
    """Waits for the condition."""
    deadline = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def numbers(receiver: Receiver) -> list[int]:
    """The events that arrived, by the numbers that `happen` gave them."""
    return [json.loads(each.body)["data"]["number"] for each in receiver.got]
