"""What is said of an object's copies on other hosts, as a condition of the object itself."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, select

from state.kinds.zone_copy import ZONE, ZONE_COPY
from state.statuses import conditions_of
from state.tables import documents, refs, statuses

_COPIES = (
    select(refs.c.name, documents.c.target, statuses.c.conditions)
    .join(documents, documents.c.uid == refs.c.uid)
    .outerjoin(statuses, statuses.c.uid == documents.c.uid)
    .where(refs.c.kind == ZONE, documents.c.kind == ZONE_COPY.name, documents.c.deleted_at.is_(None))
    .order_by(refs.c.name, documents.c.target)
)


def conditions_of_copies(connection: Connection, zones: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """For each zone (by name) that has copies the condition ``Copied``, without a generation: which hosts have it, and
    which have not what it is now. What exactly is wrong there, addresses too, is for operators."""
    known: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for zone, host, conditions in connection.execute(_COPIES.where(refs.c.name.in_(list(zones)))):
        ready = next((each for each in conditions_of(conditions) if each["type"] == "Ready"), None)
        if ready is not None:
            known.setdefault(zone, []).append((host, ready))
    return {zone: _together(found) for zone, found in known.items()}


def _together(found: list[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    behind = [(host, ready) for host, ready in found if not ready["status"]]
    hosts = ", ".join(host for host, _ in found)
    said = "; ".join(f"{host} is not as current as the zone ({ready['reason']})" for host, ready in behind)
    return {
        "type": "Copied",
        "status": not behind,
        "reason": behind[0][1]["reason"] if behind else "Current",
        "message": said[:8000] or f"it is served by {hosts} too",
        "last_transition": max(ready["last_transition"] for _, ready in found),
    }
