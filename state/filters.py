"""What lists of documents can be filtered, sorted and searched by."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, cast, func, literal, or_, select, type_coerce

from state.kind import Kind
from state.kinds import KINDS
from state.listing import Field, Listing
from state.names import with_a_labels
from state.stored_json import sound
from state.tables import Moment, documents, statuses

UNICODE = "unicode_name"


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


@cache
def defaults(kind: Kind) -> Mapping[str, Any]:
    """What a field reads as in documents stored before there was such a field."""
    fields = kind.schema.model_fields.items()
    return {
        name: info.get_default(call_default_factory=True, validated_data={})
        for name, info in fields
        if not info.is_required()
    }


def _remembered(name: str, type_: type) -> Field:
    """A field of what is kept; times are kept as RFC 3339 in UTC, whole seconds, which sorts as they do."""
    text = sound(documents.c.kept)[name].as_string()
    return Field(type_coerce(text, Moment()) if type_ is datetime else text, type_, nullable=True)


def _spec_field(kind: Kind, name: str) -> Field | None:
    info = kind.schema.model_fields[name]
    type_, nullable = _scalar(info.annotation)
    value = sound(documents.c.spec)[name]
    text = value.as_string()
    columns: dict[type | None, ColumnElement[Any]] = {
        bool: value.as_boolean(), int: cast(text, BigInteger), str: text,
    }  # fmt: skip
    if type_ is None:
        return None
    default = defaults(kind).get(name)
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
    kept = cast(sound(documents.c.kept)[name].as_string(), BigInteger)
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
