"""Webhooks: where which events of whom are sent; each with a secret that is sealed and never shown again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, delete, func, insert, select, update

from state.claims import lock
from state.errors import Forbidden
from state.journal.event import ALIASES, DISABLED, Event
from state.journal.events import emit
from state.journal.tables import deliveries, events, webhooks
from state.vault import seal

MOST = 20


@dataclass(frozen=True, slots=True)
class Wish:
    """A webhook as one wants it; without a secret it keeps the one that it has."""

    url: str
    events: tuple[str, ...]
    is_active: bool = True
    secret: str = ""


def add(connection: Connection, var: Path, uid: str, wish: Wish) -> str:
    """A new webhook's id, for the user `uid`. Raises Forbidden when the user has too many."""
    lock(connection, f"webhooks/{uid}")
    query = select(func.count()).select_from(webhooks).where(webhooks.c.uid == uid)
    if connection.execute(query).scalar_one() >= MOST:
        raise Forbidden(f"a user has {MOST} webhooks at most: delete one", code="limit_reached", limit=MOST)
    now, made = datetime.now(UTC), str(uuid4())
    row = _columns(var, wish) | {"disabled_reason": "", "since": _last(connection)}
    connection.execute(insert(webhooks).values(id=made, uid=uid, created_at=now, updated_at=now, **row))
    return made


def alter(connection: Connection, var: Path, webhook: str, wish: Wish) -> None:
    """Makes it as wished. What is active begins anew: without failures, and with what waits for it tried at once."""
    afresh: dict[str, Any] = {"disabled_reason": "", "failing_since": None} if wish.is_active else {}
    values = _columns(var, wish) | afresh | {"updated_at": datetime.now(UTC)}
    connection.execute(update(webhooks).where(webhooks.c.id == webhook).values(**values))
    if wish.is_active:
        hurry(connection, [webhook])


def remove(connection: Connection, webhook: str) -> None:
    """Removes it with its deliveries."""
    connection.execute(delete(webhooks).where(webhooks.c.id == webhook))


def disable(connection: Connection, webhook: str, owner: str, reason: str) -> None:
    """Stops it until somebody makes it active again, and tells its owner."""
    row = (webhooks.c.id == webhook) & webhooks.c.is_active
    stopped = {"is_active": False, "disabled_reason": reason}
    if connection.execute(update(webhooks).where(row).values(**stopped)).rowcount:
        emit(connection, Event(DISABLED, owner, {"id": webhook, "reason": reason}))


def hurry(connection: Connection, ids: Iterable[str]) -> None:
    """Has what these webhooks wait with tried at once."""
    waiting = deliveries.c.webhook.in_(list(ids)) & deliveries.c.next_at.is_not(None)
    connection.execute(update(deliveries).where(waiting).values(next_at=None))


def told_as(subscribed: Sequence[str], event: str) -> str:
    """The name under which an event was subscribed to; empty when it was not."""
    names: Mapping[str, str] = {ALIASES.get(name, name): name for name in reversed(subscribed)}
    return names.get(event, "")


def _columns(var: Path, wish: Wish) -> dict[str, Any]:
    secret = {"secret": seal(var, wish.secret)} if wish.secret else {}
    return {"url": wish.url, "events": list(wish.events), "is_active": wish.is_active, **secret}


def _last(connection: Connection) -> int:
    return int(connection.execute(select(func.max(events.c.id))).scalar() or 0)
