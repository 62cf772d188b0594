"""Dry runs asked for and answered: a door leaves the question, a verb the report; nothing else is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, delete, insert, select, update

from state.document import Document
from state.errors import NotFound
from state.kinds import EVERY
from state.tables import plans
from state.validation import dump

KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Plan:
    """A dry run. `request`: ``overlay`` (documents as they would be), ``documents`` (how these differ), ``withheld``
    (which of them who asks is not told of: kind, name, owner), ``writes`` (as they were posted), ``prune``, ``owner``
    and ``target`` (the scope, empty for all); `base`: the generations it was made against, by uid;
    `status`: pending, running, ready or failed."""

    id: str
    owner: str
    request: Mapping[str, Any]
    base: Mapping[str, int]
    status: str
    report: Mapping[str, Any] | None
    created_at: datetime


def ask(connection: Connection, owner: str, request: Mapping[str, Any], base: Mapping[str, int]) -> str:
    """Leaves the question for a worker; the plan's id. Plans that are older than `KEPT` go."""
    plan_id, now = str(uuid4()), datetime.now(UTC)
    connection.execute(delete(plans).where(plans.c.created_at < now - KEPT))
    row = {"id": plan_id, "owner": owner, "request": dict(request), "base": dict(base), "status": "pending"}
    connection.execute(insert(plans).values(**row, report=None, created_at=now))
    return plan_id


def get_plan(connection: Connection, plan_id: str) -> Plan:
    """The plan. Raises NotFound."""
    row = connection.execute(select(plans).where(plans.c.id == plan_id)).mappings().one_or_none()
    if row is None:
        raise NotFound("no such plan", resource="plan", id=plan_id)
    return Plan(**row)


def forget_plan(connection: Connection, plan_id: str) -> None:
    """Removes the plan; a worker that is still at it answers nobody."""
    connection.execute(delete(plans).where(plans.c.id == plan_id))


def take_plan(connection: Connection) -> Plan | None:
    """The oldest question that nobody has taken, now running."""
    waiting = plans.c.status == "pending"
    row = (
        connection.execute(select(plans).where(waiting).order_by(plans.c.created_at).limit(1))
        .mappings()
        .first()
    )
    if row is None:
        return None
    mine = waiting & (plans.c.id == row["id"])
    taken = connection.execute(update(plans).where(mine).values(status="running")).rowcount
    return get_plan(connection, row["id"]) if taken else None


def requeue(connection: Connection) -> None:
    """Lets what a worker had taken be taken again: it may be dead, and answering twice does no harm."""
    connection.execute(update(plans).where(plans.c.status == "running").values(status="pending"))


def answer(connection: Connection, plan_id: str, status: str, report: Mapping[str, Any]) -> None:
    """Leaves the report (or, when it failed, what went wrong)."""
    connection.execute(update(plans).where(plans.c.id == plan_id).values(status=status, report=dict(report)))


def pack(document: Document, *, handed: bool = False) -> dict[str, Any]:
    """A document that is not stored, as plain values; with what was `handed` over with it, its secrets sealed."""
    names = ["uid", "kind", "name", "owner", "target", "generation", "wanted", "number", "confirmed", "whole"]
    return {name: getattr(document, name) for name in names} | {
        "spec": dump(document.spec),
        "deleted": document.deleted,
        **({"kept": dict(document.kept), "sealed": document.sealed} if handed else {}),
    }


def unpack(values: Mapping[str, Any]) -> Document:
    """The document that `pack` was given; the time of a deletion is now."""
    spec = EVERY[values["kind"]].schema.model_construct(**values["spec"])
    deleted_at = datetime.now(UTC) if values["deleted"] else None
    rest = {k: v for k, v in values.items() if k not in {"spec", "deleted"}}
    return Document(**rest, spec=spec, deleted_at=deleted_at)
