"""Documents as they are shown: with their owner's id, what is known of them, and what their owners have."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    func,
    select,
)

from state.document import Document
from state.filters import counters, defaults
from state.kind import Kind
from state.kinds import KINDS
from state.listing import Page, Wanted, fetch
from state.statuses import conditions_of
from state.tables import documents, statuses
from state.validation import dump
from state.zones.shown_copies import conditions_of_copies

_owners = documents.alias("owners")
_ALIVE = documents.c.deleted_at.is_(None)
_OWNER = (_owners.c.kind == "User") & (_owners.c.name == documents.c.owner) & _owners.c.deleted_at.is_(None)
_QUERY = (
    select(documents, _owners.c.uid.label("owner_uid"), statuses.c.observed_generation, statuses.c.conditions)
    .outerjoin(_owners, _OWNER)
    .outerjoin(statuses, statuses.c.uid == documents.c.uid)
)
_ONE = _QUERY.where(documents.c.uid == bindparam("of_uid"), _ALIVE)


@dataclass(frozen=True, slots=True)
class Shown:
    """A document with what surrounds it; `values` is its spec as plain values, `conditions` likewise."""

    uid: str
    kind: Kind
    name: str
    owner: str
    owner_uid: str | None
    target: str
    values: Mapping[str, Any]
    generation: int
    created_at: datetime
    updated_at: datetime
    observed_generation: int = 0
    conditions: tuple[Mapping[str, Any], ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    remembered: Mapping[str, Any] = field(default_factory=dict)
    pending: bool = False
    whole: str = ""
    kept: Mapping[str, Any] = field(default_factory=dict)


def show(connection: Connection, uid: str, condition: ColumnElement[bool] | None = None) -> Shown | None:
    """The living document with this uid, if it meets the condition."""
    query = _ONE if condition is None else _ONE.where(condition)
    row = connection.execute(query, {"of_uid": uid}).one_or_none()
    return None if row is None else _with_copies(connection, _with_counts(connection, [_shown(row)]))[0]


def first_shown(document: Document, owner: Document | None) -> Shown | None:
    """A document that was created in this transaction, as `show` has it; none where only the database knows how."""
    kind, created, updated = KINDS[document.kind], document.created_at, document.updated_at
    if document.generation > 1 or not document.target or kind.owns or created is None or updated is None:
        return None
    return Shown(
        uid=document.uid,
        kind=kind,
        name=document.name,
        owner=document.owner,
        owner_uid=owner.uid if owner else None,
        target=document.target,
        values=dump(document.spec),
        remembered=_remembered_values(kind, document.kept),
        pending=True,
        generation=document.generation,
        created_at=created,
        updated_at=updated,
        whole=document.whole,
    )


def list_shown(
    connection: Connection, kind: Kind, wanted: Wanted, visible: ColumnElement[bool]
) -> tuple[list[Shown], Page]:
    """One page of the living documents of a kind."""
    query = _QUERY.where(documents.c.kind == kind.name, _ALIVE, visible)
    page = fetch(connection, query, documents, wanted)
    shown = _with_counts(connection, [_shown(row) for row in page.rows])
    return _with_copies(connection, shown), page


def _shown(row: Any) -> Shown:
    kind, kept = KINDS[row.kind], row.kept if isinstance(row.kept, dict) else {}
    return Shown(
        uid=row.uid,
        kind=kind,
        name=row.name,
        owner=row.owner,
        owner_uid=row.owner_uid,
        target=row.target,
        values={**defaults(kind), **(row.spec if isinstance(row.spec, dict) else {})},
        generation=row.generation,
        created_at=row.created_at,
        updated_at=row.updated_at,
        observed_generation=row.observed_generation or 0,
        conditions=tuple(conditions_of(row.conditions)),
        remembered=_remembered_values(kind, kept),
        pending=row.pending,
        whole=row.whole,
        kept=kept,
    )


def _with_counts(connection: Connection, shown: list[Shown]) -> list[Shown]:
    owners = [each.name for each in shown if each.kind.owns]
    if not owners:
        return shown
    counts = count_owned(connection, owners)
    return [
        replace(each, counts={name: counts.get((each.name, name), 0) for name in counters(each.kind)})
        for each in shown
    ]


def _with_copies(connection: Connection, shown: list[Shown]) -> list[Shown]:
    names = [each.name for each in shown if each.kind.copied]
    found = conditions_of_copies(connection, names) if names else {}
    return [
        _having(each, found[each.name]) if each.kind.copied and each.name in found else each for each in shown
    ]


def _having(shown: Shown, condition: Mapping[str, Any]) -> Shown:
    """With a condition more, which is of the generation that was looked at."""
    known = {**condition, "observed_generation": shown.observed_generation}
    return replace(shown, conditions=(*shown.conditions, known))


def count_owned(connection: Connection, owners: Iterable[str]) -> dict[tuple[str, str], int]:
    """How many living documents these owners have, by owner and counter."""
    by_kind = {kind.name: kind.counter for kind in KINDS.values() if kind.counter}
    query = (
        select(documents.c.owner, documents.c.kind, func.count())
        .where(documents.c.owner.in_(list(owners)), documents.c.kind.in_(list(by_kind)), _ALIVE)
        .group_by(documents.c.owner, documents.c.kind)
    )
    return {(owner, str(by_kind[kind])): n for owner, kind, n in connection.execute(query)}


def _remembered_values(kind: Kind, kept: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept as answers show it: of a list that is not there none of its members, of all else null."""
    return {name: kept.get(name, [] if type_ is list else None) for name, type_ in kind.remembered.items()}
