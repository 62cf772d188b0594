"""How the loops of workers go: when each was last heard of, and how many rounds it has done; for who watches them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from state.journal.tables import loops

PASS, SWEEP, JOBS, PLANS, DELIVERIES = "pass", "sweep", "jobs", "plans", "deliveries"
_UPDATE = (
    update(loops)
    .where(loops.c.loop == bindparam("of_loop"), loops.c.target == bindparam("of_target"))
    .values(
        at=bindparam("to_at"),
        busy_since=bindparam("to_busy_since"),
        rounds=loops.c.rounds + bindparam("more_rounds"),
        failures=loops.c.failures + bindparam("more_failures"),
        seconds=loops.c.seconds + bindparam("more_seconds"),
    )
)


@dataclass(frozen=True, slots=True)
class Loop:
    """One loop (on one target, if it is of one): `at` it was last heard of, `busy_since` the round under way began.

    Rounds that found something to do are counted, with their failures and their seconds; idle ones are not.
    """

    loop: str
    target: str
    at: datetime
    busy_since: datetime | None = None
    rounds: int = 0
    failures: int = 0
    seconds: float = 0.0


def record(connection: Connection, news: Iterable[Loop]) -> None:
    """Adds what is new of each loop to what is known of it."""
    for new in news:
        if connection.execute(_UPDATE, _values(new)).rowcount == 0:
            _first(connection, new)


def list_loops(connection: Connection) -> list[Loop]:
    """Every loop that any worker has ever run."""
    rows = connection.execute(select(loops).order_by(loops.c.loop, loops.c.target)).mappings()
    return [Loop(**row) for row in rows]


def _first(connection: Connection, new: Loop) -> None:
    row = {column.name: getattr(new, column.name) for column in loops.columns}
    try:
        with connection.begin_nested():
            connection.execute(insert(loops).values(row))
    except IntegrityError:
        connection.execute(_UPDATE, _values(new))


def _values(new: Loop) -> dict[str, Any]:
    return {
        "of_loop": new.loop,
        "of_target": new.target,
        "to_at": new.at,
        "to_busy_since": new.busy_since,
        "more_rounds": new.rounds,
        "more_failures": new.failures,
        "more_seconds": new.seconds,
    }
