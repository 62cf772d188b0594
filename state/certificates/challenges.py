"""What zones answer authorities (RFC 8555, section 8.4): rows beside the documents, for as long as their job goes on.

A zone is compiled together with its answers, so that they are served, and go, as all else does that it holds.
"""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, delete, insert, select

from state.certificates.tables import acme_challenges
from state.kinds.zone_copy import ZONE, ZONE_COPY
from state.statuses import conditions_of, wake
from state.tables import documents, refs, statuses

Answers = Mapping[str, tuple[tuple[str, str], ...]]
"""By the uid of a zone: names relative to it, each with what is answered there."""


def answers(connection: Connection, target: str) -> Answers:
    """What the zones of a target answer now, in an order of its own."""
    asked = acme_challenges.c
    query = select(asked.zone, asked.name, asked.value).join(documents, asked.zone == documents.c.uid)
    found: dict[str, list[tuple[str, str]]] = {}
    rows = {tuple(row) for row in connection.execute(query.where(documents.c.target == target))}
    for zone, name, value in sorted(rows):
        found.setdefault(zone, []).append((name, value))
    return {zone: tuple(each) for zone, each in found.items()}


def publish(
    connection: Connection, job: str, target: str, given: Mapping[str, Iterable[tuple[str, str]]]
) -> None:
    """Has zones (by uid) answer this, in place of what they answered for the job, and calls for looks at them.

    `target` is the job's.
    """
    withdraw(connection, [job])
    rows = [
        {"job": job, "target": target, "zone": zone, "name": name, "value": value}
        for zone, pairs in given.items()
        for name, value in sorted(set(pairs))
    ]
    if rows:
        connection.execute(insert(acme_challenges), rows)
        wake(connection, sorted(given))


def withdraw(connection: Connection, jobs: Collection[str]) -> None:
    """What is answered for these jobs is so no more; calls for looks at the zones."""
    theirs = acme_challenges.c.job.in_(jobs)
    zones = connection.execute(select(acme_challenges.c.zone).where(theirs).distinct()).scalars().all()
    if zones:
        connection.execute(delete(acme_challenges).where(theirs))
        wake(connection, sorted(zones))


def left_behind(connection: Connection, target: str, going_on: Collection[str]) -> list[str]:
    """The jobs of a target that zones still answer for, although they are not among those that go on."""
    query = select(acme_challenges.c.job).where(acme_challenges.c.target == target).distinct()
    return sorted(set(connection.execute(query).scalars()) - set(going_on))


def problem(connection: Connection, zone: str) -> str | None:
    """Why a zone (uid) does not serve what it should; empty when it does, and None while that is not known yet."""
    query = select(documents.c.pending, statuses.c.conditions).join(statuses, isouter=True)
    living = (documents.c.uid == zone) & documents.c.deleted_at.is_(None)
    row = connection.execute(query.where(living)).one_or_none()
    if row is None:
        return "the zone was deleted"
    if row.pending:
        return None
    told = {each["type"]: each for each in conditions_of(row.conditions)}
    if told.get("Blocked", {}).get("status"):
        return f"the zone is not served: {told['Blocked']['message']}"
    return "" if told.get("Ready", {}).get("status") else None


def behind(connection: Connection, zone: str) -> bool:
    """Whether a secondary has still to take over what a zone (uid) says."""
    copied = select(documents.c.name).where(documents.c.uid == zone, documents.c.kind == ZONE)
    query = select(documents.c.pending, statuses.c.ready).join(refs, refs.c.uid == documents.c.uid)
    query = query.join(statuses, statuses.c.uid == documents.c.uid, isouter=True)
    mine = (refs.c.kind == ZONE) & (refs.c.name == copied.scalar_subquery())
    copies = mine & (documents.c.kind == ZONE_COPY.name) & documents.c.deleted_at.is_(None)
    return any(row.pending or not row.ready for row in connection.execute(query.where(copies)))
