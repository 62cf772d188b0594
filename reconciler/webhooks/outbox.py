"""The outbox of the courier: which webhooks have something waiting, what that is, and what became of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, or_, select, update

from reconciler.webhooks.attempts import DELAYS, Outcome
from reconciler.webhooks.fan_out import in_order
from state.cursors import FANNED_OUT, PRUNED, move, position
from state.journal.deliveries import DELIVERED, PENDING
from state.journal.tables import deliveries, events, webhooks
from state.journal.webhooks import disable, hurry
from state.tables import documents

RUN = 50
_CHUNK = 1000
_HEAD = (
    select(deliveries.c.id)
    .where(deliveries.c.webhook == webhooks.c.id, deliveries.c.status == PENDING)
    .order_by(deliveries.c.number, deliveries.c.id)
    .limit(1)
    .correlate(webhooks)
    .scalar_subquery()
)
_DUE = (
    select(webhooks, documents.c.name.label("owner"))
    .join_from(webhooks, documents, webhooks.c.uid == documents.c.uid)
    .join(deliveries, deliveries.c.id == _HEAD)
    .where(webhooks.c.is_active, in_order())
    .where(
        or_(
            deliveries.c.next_at.is_(None),
            deliveries.c.next_at <= bindparam("now"),
            deliveries.c.next_at > bindparam("latest"),
        )
    )
    .order_by(deliveries.c.number)
)
_WAITING = (
    select(deliveries.c.id, deliveries.c.event, deliveries.c.body, deliveries.c.attempts)
    .where(deliveries.c.webhook == bindparam("of_webhook"), deliveries.c.status == PENDING)
    .order_by(deliveries.c.number, deliveries.c.id)
    .limit(RUN)
)
_RECORD = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("of_id"), deliveries.c.status == PENDING)
    .values({name: bindparam(f"to_{name}") for name in (
        "status", "attempts", "next_at", "answer_status", "message", "completed_at",
    )})
)  # fmt: skip
_FAILING = (
    update(webhooks).where(webhooks.c.id == bindparam("of_id")).values(failing_since=bindparam("to_since"))
)


@dataclass(frozen=True, slots=True)
class Route:
    """A webhook as it is sent to: `secret` is sealed, and `version` changes with each change of it."""

    id: str
    owner: str
    url: str
    secret: str
    failing_since: datetime | None
    version: datetime


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery that waits, after so many attempts."""

    id: str
    event: str
    body: str
    attempts: int


def due(connection: Connection, busy: Collection[str], places: int, now: datetime) -> list[Route]:
    """Webhooks whose next delivery is due, those first that waited longest, without the busy ones.

    One that is due later than any delay can last was timed by a clock that has jumped: it is due.
    """
    latest = now + DELAYS[-1] * 2
    rows = connection.execute(_DUE.limit(places + len(busy)), {"now": now, "latest": latest})
    return [_route(row) for row in rows if row.id not in busy][:places]


def waiting(connection: Connection, webhook: str) -> Sequence[Parcel]:
    """What waits for a webhook, in the order in which it is to be sent; at most `RUN`."""
    return [Parcel(*row) for row in connection.execute(_WAITING, {"of_webhook": webhook})]


def record(
    connection: Connection, outcomes: Sequence[tuple[Route, Outcome]], now: datetime
) -> Mapping[str, datetime]:
    """Keeps what became of attempts; of these webhooks those that are active, each with its version."""
    connection.execute(_RECORD, [_row(outcome, now) for _, outcome in outcomes])
    changed = [
        {"of_id": route.id, "to_since": outcome.failing_since}
        for route, outcome in outcomes
        if outcome.failing_since != route.failing_since
    ]
    if changed:
        connection.execute(_FAILING, changed)
    hurry(connection, [r.id for r, o in outcomes if r.failing_since and o.status == DELIVERED])
    for route, outcome in outcomes:
        if outcome.disabled:
            disable(connection, route.id, route.owner, outcome.disabled)
    ids = [route.id for route, _ in outcomes]
    query = select(webhooks.c.id, webhooks.c.updated_at).where(webhooks.c.id.in_(ids), webhooks.c.is_active)
    return {row.id: row.updated_at for row in connection.execute(query)}


def prune(connection: Connection, before: datetime) -> bool:
    """Removes some of the deliveries and events from before that time; whether there may be more.

    No event goes that was not fanned out; that readers of events are told what is gone, it is noted.
    """
    old = select(deliveries.c.id).where(deliveries.c.created_at < before).limit(_CHUNK)
    gone = connection.execute(delete(deliveries).where(deliveries.c.id.in_(old))).rowcount
    passed = events.c.id <= position(connection, FANNED_OUT)
    past = select(events.c.id).where(events.c.at < before, passed).order_by(events.c.id).limit(_CHUNK)
    ids = connection.execute(past).scalars().all()
    if ids:
        connection.execute(delete(events).where(events.c.id.in_(ids)))
        move(connection, PRUNED, position(connection, PRUNED), ids[-1])
    return max(gone, len(ids)) == _CHUNK


def _route(row: Row[Any]) -> Route:
    return Route(row.id, row.owner, row.url, row.secret, row.failing_since, row.updated_at)


def _row(outcome: Outcome, now: datetime) -> dict[str, Any]:
    return {
        "of_id": outcome.delivery,
        "to_status": outcome.status,
        "to_attempts": outcome.attempts,
        "to_next_at": outcome.next_at,
        "to_answer_status": outcome.answer.status,
        "to_message": outcome.answer.message,
        "to_completed_at": None if outcome.status == PENDING else now,
    }
