"""How far the readers of events have come, by the number of the last event."""

from sqlalchemy import Connection, bindparam, select, update

from state.journal.tables import cursors

FANNED_OUT, PRUNED = "webhooks", "pruned"
_LAST = select(cursors.c.last).where(cursors.c.reader == bindparam("of_reader"))
_MOVE = (
    update(cursors)
    .where(cursors.c.reader == bindparam("of_reader"), cursors.c.last == bindparam("from_last"))
    .values(last=bindparam("to_last"))
)


def position(connection: Connection, reader: str) -> int:
    """The number of the last event that the reader has passed."""
    return int(connection.execute(_LAST, {"of_reader": reader}).scalar_one())


def move(connection: Connection, reader: str, last: int, to: int) -> bool:
    """Moves the reader on, if it is still at `last`."""
    moved = {"of_reader": reader, "from_last": last, "to_last": to}
    return connection.execute(_MOVE, moved).rowcount == 1
