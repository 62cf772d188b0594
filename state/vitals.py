"""The vital signs of the whole: what waits, since when, and how everything is; each by a query that stays cheap."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, case, func, or_, select

from state.cursors import FANNED_OUT, position
from state.journal.deliveries import PENDING as OPEN
from state.journal.tables import deliveries, events, webhooks
from state.loops import Loop, list_loops
from state.tables import PENDING, documents, jobs, plans, statuses, targets
from state.targets import IS_HOST

DAY = timedelta(days=1)
Counts = Mapping[tuple[Any, ...], int]
_PENDING = select(func.count()).select_from(documents).where(PENDING)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a worker, and since when the oldest plan and the oldest delivery that is due do."""

    documents: int = 0
    plans: int = 0
    oldest_plan: datetime | None = None
    deliveries: int = 0
    oldest_delivery: datetime | None = None
    events: int = 0


@dataclass(frozen=True, slots=True)
class Vitals:
    """How everything is. `hosts` are those that are listed; ended jobs and deliveries are those of the last day."""

    waiting: Waiting
    loops: tuple[Loop, ...]
    hosts: Mapping[str, tuple[bool, int, int]]
    documents: Counts
    jobs: Counts
    deliveries: Counts


def waiting(connection: Connection, now: datetime) -> Waiting:
    """What waits for a worker now."""
    pending = connection.execute(_PENDING).scalar_one()
    asked, oldest = _oldest(connection, plans.c.created_at, plans.c.status == "pending")
    due, first = _oldest(connection, func.coalesce(deliveries.c.next_at, deliveries.c.created_at), _due(now))
    last = int(connection.execute(select(func.max(events.c.id))).scalar() or 0)
    return Waiting(pending, asked, oldest, due, first, last - position(connection, FANNED_OUT))


def vitals(connection: Connection, now: datetime) -> Vitals:
    """Everything that is watched."""
    hosts = select(targets).where(targets.c.listed)
    seen = {row.name: (row.reachable, row.drifted, len(row.unmanaged)) for row in connection.execute(hosts)}
    return Vitals(
        waiting(connection, now),
        tuple(list_loops(connection)),
        seen,
        _documents(connection),
        _jobs(connection, now),
        _deliveries(connection, now),
    )


def listed_hosts(connection: Connection) -> frozenset[str]:
    """The names of the hosts that are managed now."""
    hosts = select(targets.c.name).where(targets.c.listed, IS_HOST)
    return frozenset(connection.execute(hosts).scalars())


def _documents(connection: Connection) -> Counts:
    """Living documents by kind and whether they are ready, at the generation that is wanted."""
    ready = and_(statuses.c.ready, statuses.c.observed_generation == documents.c.generation)
    query = (
        select(documents.c.kind, func.count(), func.sum(case((ready, 1), else_=0)))
        .join_from(documents, statuses, documents.c.uid == statuses.c.uid, isouter=True)
        .where(documents.c.deleted_at.is_(None))
        .group_by(documents.c.kind)
    )
    counts: dict[tuple[Any, ...], int] = {}
    for kind, all_, good in connection.execute(query):
        counts |= {(kind, True): int(good), (kind, False): all_ - int(good)}
    return counts


def _jobs(connection: Connection, now: datetime) -> Counts:
    ended = and_(jobs.c.status.in_(("completed", "failed", "cancelled")), jobs.c.created_at > now - DAY)
    return _by_status(connection, jobs, jobs.c.status.in_(("pending", "running"))) | _by_status(
        connection, jobs, ended
    )


def _deliveries(connection: Connection, now: datetime) -> Counts:
    ended = and_(deliveries.c.created_at > now - DAY, deliveries.c.status != OPEN)
    open_ = and_(deliveries.c.webhook.in_(select(webhooks.c.id)), deliveries.c.status == OPEN)
    return _by_status(connection, deliveries, open_) | _by_status(connection, deliveries, ended)


def _by_status(
    connection: Connection, table: Table, which: ColumnElement[bool]
) -> dict[tuple[Any, ...], int]:
    query = select(table.c.status, func.count()).where(which).group_by(table.c.status)
    return {(row[0],): row[1] for row in connection.execute(query)}


def _due(now: datetime) -> ColumnElement[bool]:
    """Deliveries that ought to be under way: their webhook is active, and their time has come."""
    alive = select(webhooks.c.id).where(webhooks.c.is_active)
    due = or_(deliveries.c.next_at.is_(None), deliveries.c.next_at <= now)
    return and_(deliveries.c.status == OPEN, deliveries.c.webhook.in_(alive), due)


def _oldest(
    connection: Connection, since: ColumnElement[Any], which: ColumnElement[bool]
) -> tuple[int, datetime | None]:
    count, oldest = connection.execute(select(func.count(), func.min(since)).where(which)).one()
    return count, oldest
