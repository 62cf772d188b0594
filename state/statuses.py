"""What is known of documents: conditions, the inventory of what was applied, what was refused and repaired."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Text, bindparam, cast, delete, insert, or_, select, update

from state.document import Condition, Document, Refusal, Status
from state.kind import Kind
from state.stored_json import object_of
from state.tables import PENDING, documents, statuses

_CONDITION = {
    "type": str, "status": bool, "reason": str, "message": str, "observed_generation": int, "last_transition": str,
}  # fmt: skip
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_REFUSAL = {"digest": str, "message": str}
_SETTLE = (
    update(documents)
    .where(documents.c.uid == bindparam("of_uid"), documents.c.wanted == bindparam("as_wanted"), PENDING)
    .values(pending=False)
)
_WAKE = (
    update(documents)
    .where(documents.c.uid == bindparam("of_uid"))
    .values(wanted=documents.c.wanted + 1, pending=documents.c.target != "")
)


def load_statuses(connection: Connection, documents_: Iterable[Document]) -> dict[str, Status]:
    """The statuses of these documents, by uid; a document never looked at has an empty one."""
    uids = [document.uid for document in documents_]
    found = {uid: Status(uid) for uid in uids}
    for start in range(0, len(uids), 500):
        query = select(statuses).where(statuses.c.uid.in_(uids[start : start + 500]))
        found |= {row["uid"]: status_from_row(row) for row in connection.execute(query).mappings()}
    return found


def target_statuses(connection: Connection, target: str) -> dict[str, Status]:
    """The statuses of all documents of a target, by uid, without those of parts that are ready: there may be very many,
    and nothing was applied for them."""
    told = or_(documents.c.whole == "", statuses.c.ready.is_not(True))
    query = select(statuses).join(documents).where(documents.c.target == target, told)
    return {row["uid"]: status_from_row(row) for row in connection.execute(query).mappings()}


def holders(connection: Connection, target: str, keys: frozenset[str]) -> list[str]:
    """The uids of the documents that any of these resources was applied for."""
    if not keys:
        return []
    known = target_statuses(connection, target)
    return [uid for uid, status in known.items() if not keys.isdisjoint(status.applied)]


def status_from_row(row: Mapping[Any, Any]) -> Status:
    """A stored row as a status; what somebody made of it that is none is read as if it were not there."""
    refused, conditions = object_of(row["refused"], dict), row["conditions"]
    return Status(
        uid=row["uid"],
        observed_generation=row["observed_generation"],
        conditions=tuple(map(_condition, conditions_of(conditions))),
        applied=object_of(row["applied"], str),
        refused={key: Refusal(**each) for key, each in refused.items() if _has(each, _REFUSAL)},
        repairs=object_of(row["repairs"], int),
    )


def conditions_of(stored: Any) -> list[dict[str, Any]]:
    """The conditions, as values, of what is stored as such."""
    return [each for each in stored if _has(each, _CONDITION)] if isinstance(stored, list) else []


def _has(values: Any, types: Mapping[str, type]) -> bool:
    """Whether this is an object that has just these fields."""
    return isinstance(values, dict) and dict(zip(values, map(type, values.values()), strict=True)) == types


def save_statuses(connection: Connection, changed: Iterable[Status]) -> None:
    """Writes these statuses in place of the old ones."""
    rows = [_row(status) for status in changed]
    for start in range(0, len(rows), 500):
        chunk = rows[start : start + 500]
        connection.execute(delete(statuses).where(statuses.c.uid.in_([row["uid"] for row in chunk])))
    if rows:
        connection.execute(insert(statuses), rows)


def unplaced(document: Document, kind: Kind) -> Status:
    """The status of a document that no host carries: there is nothing to do, or nowhere to do it."""
    at, generation = document.updated_at or datetime.now(UTC), document.generation
    if not kind.placed or not kind.hosted(document.spec):
        ready = Condition("Ready", True, "NothingToDo", "no host has to do with it", generation, at)
        return Status(document.uid, generation, (ready,))
    message = f"its owner, {document.owner!r}, has no account on a host: make it for a user who has one"
    why = [
        Condition(t, t == "Blocked", "OwnerHasNoAccount", message, generation, at)
        for t in ("Ready", "Blocked")
    ]
    return Status(document.uid, generation, tuple(why))


def settle(connection: Connection, reached: Iterable[Document]) -> None:
    """Marks documents as looked at, unless they were wanted again in the meantime."""
    rows = [{"of_uid": document.uid, "as_wanted": document.wanted} for document in reached]
    if rows:
        connection.execute(_SETTLE, rows)


def forgive(connection: Connection, target: str) -> None:
    """Has everything on the target tried again that was refused there: it may be for reasons that have gone."""
    there = select(documents.c.uid).where(documents.c.target == target)
    refused = statuses.c.uid.in_(there) & (cast(statuses.c.refused, Text) != "{}")
    connection.execute(update(statuses).where(refused).values(refused={}))


def wake(connection: Connection, uids: Iterable[str]) -> None:
    """Makes documents pending again without a change of their own: their target drifted, or what is a part of them."""
    rows = [{"of_uid": uid} for uid in uids]
    if rows:
        connection.execute(_WAKE, rows)


def _condition(values: Mapping[str, Any]) -> Condition:
    """A time that is none was long ago."""
    try:
        at = datetime.fromisoformat(values["last_transition"])
    except ValueError:
        at = _LONG_AGO
    return Condition(**{**values, "last_transition": at if at.tzinfo else _LONG_AGO})


def condition_values(condition: Condition) -> dict[str, Any]:
    """A condition as JSON values; times are RFC 3339 in UTC."""
    return {
        "type": condition.type,
        "status": condition.status,
        "reason": condition.reason,
        "message": condition.message,
        "observed_generation": condition.observed_generation,
        "last_transition": condition.last_transition.isoformat().replace("+00:00", "Z"),
    }


def _row(status: Status) -> dict[str, Any]:
    return {
        "uid": status.uid,
        "observed_generation": status.observed_generation,
        "ready": any(c.type == "Ready" and c.status for c in status.conditions),
        "conditions": [condition_values(c) for c in status.conditions],
        "applied": dict(status.applied),
        "refused": {k: {"digest": r.digest, "message": r.message} for k, r in status.refused.items()},
        "repairs": dict(status.repairs),
    }
