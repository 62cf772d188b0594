"""Deliveries: what is to be told to a webhook, in the order of events, and what became of it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, insert, update

from state.journal.event import PING, message
from state.journal.tables import deliveries

PENDING, DELIVERED, FAILED = "pending", "delivered", "failed"
FIRST = 0  # the number of pings, which wait for no event


def new_delivery(webhook: str, number: int, event: str, body: str, now: datetime) -> Mapping[str, Any]:
    """A delivery that waits for its turn; its id stays the same however often it is tried."""
    return {
        "id": str(uuid4()),
        "number": number,
        "webhook": webhook,
        "event": event,
        "body": body,
        "status": PENDING,
        "attempts": 0,
        "message": "",
        "created_at": now,
    }


def ping(connection: Connection, webhook: str) -> str:
    """The id of a delivery that tells of nothing; it goes before all that waits."""
    now = datetime.now(UTC)
    row = new_delivery(webhook, FIRST, PING, message(PING, {"id": webhook}, now), now)
    connection.execute(insert(deliveries).values(**row))
    return str(row["id"])


def deliver_again(connection: Connection, delivery: str) -> None:
    """Has a delivery sent once more, at its old place in the order; one that waits is tried at once."""
    afresh = {"status": PENDING, "attempts": 0, "next_at": None, "completed_at": None}
    connection.execute(update(deliveries).where(deliveries.c.id == delivery).values(**afresh))
