"""Documents as they are shown: with their owner's id, what is known of them, and what their owners have."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
    type_coerce,
)

from state.document import Document
from state.kind import Kind
from state.kinds import KINDS
from state.listing import Field, Listing, Page, Wanted, fetch
from state.names import with_a_labels
from state.tables import Moment, documents, statuses
from state.validation import dump
from state.zones.shown_copies import conditions_of_copies

UNICODE = "unicode_name"
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


@cache
def listing(kind: Kind) -> Listing:
    """What a list of this kind can be filtered, sorted and searched by."""
    own = {name: each for name in kind.schema.model_fields if (each := _spec_field(kind, name))}
    fields = {
        "id": Field(documents.c.uid, UUID),
        kind.name_field: Field(documents.c.name, str),
        "user_id": Field(_owner_uid(), UUID, nullable=True, among=_owned_by),
        **({kind.part_of.field: Field(documents.c.whole, UUID)} if kind.part_of else {}),
        **own,
        **{name: Field(_count(name), int) for name in counters(kind)},
        **{name: Field(_measured(name, value), int) for name, value in kind.measured.items()},
        **{name: _remembered(name, type_) for name, type_ in kind.remembered.items() if type_ is not list},
        "host": Field(documents.c.target, str),
        "generation": Field(documents.c.generation, int),
        "observed_generation": Field(_observed(), int),
        "created_at": Field(documents.c.created_at, datetime),
        "updated_at": Field(documents.c.updated_at, datetime),
    }
    if kind.host_field:
        either = _in_either_form(fields[kind.host_field])
        fields |= {kind.host_field: either, UNICODE: either}
    return Listing(fields, search=kind.search)


def _in_either_form(each: Field) -> Field:
    """A field that is a host name, with U-labels or with A-labels."""
    return replace(each, among=lambda names: each.column.in_(list(map(with_a_labels, names))))


@cache
def counters(kind: Kind) -> tuple[str, ...]:
    """The fields that say how many documents an owner has: one for each of its limits."""
    limits = [name for name in kind.schema.model_fields if name.endswith("_limit")] if kind.owns else []
    return tuple(f"{name.removesuffix('_limit')}_count" for name in limits)


def _shown(row: Any) -> Shown:
    kind = KINDS[row.kind]
    return Shown(
        uid=row.uid,
        kind=kind,
        name=row.name,
        owner=row.owner,
        owner_uid=row.owner_uid,
        target=row.target,
        values={**_defaults(kind), **row.spec},
        generation=row.generation,
        created_at=row.created_at,
        updated_at=row.updated_at,
        observed_generation=row.observed_generation or 0,
        conditions=tuple(row.conditions or ()),
        remembered=_remembered_values(kind, row.kept or {}),
        pending=row.pending,
        whole=row.whole,
        kept=row.kept or {},
    )


@cache
def _defaults(kind: Kind) -> Mapping[str, Any]:
    """What a field reads as in documents stored before there was such a field."""
    fields = kind.schema.model_fields.items()
    return {
        name: info.get_default(call_default_factory=True, validated_data={})
        for name, info in fields
        if not info.is_required()
    }


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


def _remembered(name: str, type_: type) -> Field:
    """A field of what is kept; times are kept as RFC 3339 in UTC, whole seconds, which sorts as they do."""
    text = documents.c.kept[name].as_string()
    return Field(type_coerce(text, Moment()) if type_ is datetime else text, type_, nullable=True)


def _spec_field(kind: Kind, name: str) -> Field | None:
    info = kind.schema.model_fields[name]
    type_, nullable = _scalar(info.annotation)
    value, text = documents.c.spec[name], documents.c.spec[name].as_string()
    columns: dict[type | None, ColumnElement[Any]] = {
        bool: value.as_boolean(), int: cast(text, BigInteger), str: text,
    }  # fmt: skip
    if type_ is None:
        return None
    default = _defaults(kind).get(name)
    column = (
        columns[type_] if default is None or nullable else func.coalesce(columns[type_], literal(default))
    )
    return Field(column, type_, nullable)


def _scalar(annotation: Any) -> tuple[type | None, bool]:
    """The type of a filter's values (none for lists and objects), and whether there may be none."""
    nullable = get_origin(annotation) in {Union, UnionType}
    types = [each for each in get_args(annotation) if each is not type(None)] if nullable else [annotation]
    types = [get_args(each)[0] if get_origin(each) is Annotated else each for each in types]
    if len(types) != 1 or get_origin(types[0]) not in {None, Literal}:
        return None, nullable
    if types[0] in {bool, int}:
        return types[0], nullable
    return str, nullable


def _measured(name: str, default: int) -> ColumnElement[Any]:
    kept = cast(documents.c.kept[name].as_string(), BigInteger)
    return func.coalesce(kept, cast(literal(default), BigInteger))


def _owner_uid() -> ColumnElement[Any]:
    owner = documents.alias("an_owner")
    same = (owner.c.kind == "User") & (owner.c.name == documents.c.owner) & owner.c.deleted_at.is_(None)
    return select(owner.c.uid).where(same).correlate(documents).scalar_subquery()


def _owned_by(uids: Any) -> ColumnElement[bool]:
    """One owner is looked up once, so that its documents are found in the order of a list."""
    owner = documents.alias("an_owner")
    names: Select[Any] = select(owner.c.name).where(owner.c.uid.in_(uids), owner.c.kind == "User")
    if None in uids:
        return or_(documents.c.owner.in_(names), _owner_uid().is_(None))
    return documents.c.owner == names.scalar_subquery() if len(uids) == 1 else documents.c.owner.in_(names)


def _observed() -> ColumnElement[Any]:
    query = select(statuses.c.observed_generation).where(statuses.c.uid == documents.c.uid)
    return func.coalesce(query.correlate(documents).scalar_subquery(), 0)


def _count(counter: str) -> ColumnElement[Any]:
    owned = documents.alias("owned")
    kinds = [kind.name for kind in KINDS.values() if kind.counter == counter]
    theirs = (owned.c.owner == documents.c.name) & owned.c.deleted_at.is_(None) & owned.c.kind.in_(kinds)
    return select(func.count()).select_from(owned).where(theirs).correlate(documents).scalar_subquery()
