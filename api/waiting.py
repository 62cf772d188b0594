"""Waiting for a write to become true on its host, without holding a thread meanwhile."""

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection, select

from api.call import Call, House, Reply
from api.errors import problem
from api.performing import perform
from api.writes import Written, missing
from state.kinds import KINDS
from state.shown import Shown, first_shown, show
from state.tables import documents

_GOING_ON = frozenset({"Changed", "Waiting", "Issuing", "Unreachable", "Unknown"})


def perform_held(
    call: Call, work: Callable[[Connection], Written], view: Callable[[Shown, int], Reply]
) -> Reply:
    """Does the write of a document; the answer shows it as it was written, or waits until it is true."""

    def answered(connection: Connection) -> Reply:
        written = work(connection)
        status = 200 if written.before else 201
        new = None if written.before else first_shown(written.after, written.owner)
        shown = new or show(connection, written.after.uid)
        reply = Reply(204) if shown is None else view(shown, status)
        return held(call.house, reply, written, lambda found: view(found, status))

    return perform(call, answered)


def held(house: House, reply: Reply, written: Written, view: Callable[[Shown], Reply]) -> Reply:
    """The reply, which can be held until what was written is Ready, Blocked or failed at its generation."""
    after = written.after

    def later() -> Reply | None:
        with house.database.reading() as connection:
            if after.deleted:
                left = connection.execute(select(documents.c.uid).where(documents.c.uid == after.uid)).first()
                return None if left else reply
            shown = show(connection, after.uid)
        if shown is None:
            return Reply(response=problem(missing(KINDS[after.kind], after.uid)))
        return view(shown) if not shown.pending and ended(shown, after.generation) else None

    return replace(reply, written=reply.written or (written,), later=later)


def ended(shown: Shown, generation: int) -> bool:
    """Whether the outcome of this generation is known."""
    ready = next((each for each in shown.conditions if each["type"] == "Ready"), None)
    if shown.observed_generation >= generation:
        return ready is None or ready["reason"] not in _GOING_ON
    return any(
        condition["observed_generation"] >= generation
        and (condition["status"] or condition["type"] == "Ready")
        and condition["type"] in {"Ready", "Blocked", "Failed"}
        and condition["reason"] not in _GOING_ON
        for condition in shown.conditions
    )
