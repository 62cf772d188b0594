"""Listing: one page of rows that the database filtered, searched and sorted, always in a total order."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select, and_, func, or_, select

from state.errors import Fault, Invalid

LARGEST_PAGE = 10**9
_LARGEST = 2**63 - 1
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Field:
    """A field to filter and sort by: its expression and type (str, int, bool, datetime, UUID).

    `among` says how a row matches one of several values, where that is not simply being one of them.
    """

    column: ColumnElement[Any]
    type: type
    nullable: bool = False
    among: Callable[[Sequence[Any]], ColumnElement[bool]] | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A listing as it was asked for."""

    conditions: tuple[ColumnElement[bool], ...] = ()
    order: tuple[ColumnElement[Any], ...] = ()
    page: int = 1
    limit: int = 20


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one page, and how many there are on all of them."""

    rows: Sequence[Row[Any]]
    total: int
    page: int
    limit: int

    @property
    def pages(self) -> int:
        return -(-self.total // self.limit)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list offers: its fields, what `search` looks in, and what it is sorted by and tied by."""

    fields: Mapping[str, Field]
    search: tuple[str, ...] = ()
    sort: str = "created_at"
    tie: str = "id"
    order: str = "asc"
    times: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        times = [name for name, each in self.fields.items() if each.type is datetime]
        short = {name.removesuffix("_at"): name for name in times} | {name: name for name in times}
        bounds = {f"{s}_{side}": name for s, name in short.items() for side in ("after", "before")}
        object.__setattr__(self, "times", bounds)


def read(listing: Listing, parameters: Iterable[tuple[str, str]]) -> Wanted:
    """The query parameters understood. Raises Invalid with every one that is unknown or wrong."""
    given: dict[str, list[str]] = {}
    for name, value in parameters:
        given.setdefault(name, []).append(value)
    faults: list[Fault] = []
    conditions = [c for n, v in given.items() for c in _condition(listing, n, v, faults)]
    page = _number(given, "page", 1, LARGEST_PAGE, faults)
    limit = _number(given, "limit", 20, 100, faults)
    order = _order(listing, given, faults)
    if faults:
        raise Invalid(faults)
    return Wanted(tuple(conditions), order, page, limit)


def fetch(connection: Connection, query: Select[Any], counted: FromClause, wanted: Wanted) -> Page:
    """One page of `query`; `counted` is the table whose rows the conditions select."""
    conditions = (
        (query.whereclause, *wanted.conditions) if query.whereclause is not None else wanted.conditions
    )
    ordered = query.where(*wanted.conditions).order_by(*wanted.order)
    rows = connection.execute(ordered.limit(wanted.limit).offset((wanted.page - 1) * wanted.limit)).all()
    if wanted.page == 1 and len(rows) < wanted.limit:
        return Page(rows, len(rows), wanted.page, wanted.limit)
    total = connection.execute(select(func.count()).select_from(counted).where(*conditions)).scalar_one()
    return Page(rows, int(total), wanted.page, wanted.limit)


def _condition(
    listing: Listing, name: str, values: list[str], faults: list[Fault]
) -> list[ColumnElement[bool]]:
    if name in {"page", "limit", "sort", "order"}:
        return []
    if any("\0" in value or not value.isprintable() for value in values):
        faults.append(Fault(name, "must not contain control characters"))
        return []
    if name == "search" and listing.search:
        columns = [listing.fields[each].column for each in listing.search]
        return [and_(*(or_(*(c.icontains(v, autoescape=True) for c in columns)) for v in values))]
    try:
        if name in listing.fields:
            return [_among(listing.fields[name], [part for v in values for part in v.split(",")])]
        if name in listing.times:
            column = listing.fields[listing.times[name]].column
            return [_bound(column, name, value) for value in values]
    except ValueError as error:
        faults.append(Fault(name, str(error)))
        return []
    faults.append(Fault(name, "is no field to filter by"))
    return []


def _among(each: Field, values: list[str]) -> ColumnElement[bool]:
    parsed = [_parse(each, value) for value in values]
    if each.among:
        return each.among(parsed)
    found = each.column.in_([value for value in parsed if value is not None])
    return or_(found, each.column.is_(None)) if None in parsed else found


def _parse(each: Field, value: str) -> Any:
    if each.nullable and value == "":
        return None
    if each.type is bool:
        if value.lower() not in _TRUTHS:
            raise ValueError("must be true or false")
        return _TRUTHS[value.lower()]
    if each.type is int:
        return _integer(value)
    if each.type is datetime:
        return instant(value)
    return _uuid(value) if each.type is UUID else value


def _integer(value: str) -> int:
    if not value.removeprefix("-").isascii() or not value.removeprefix("-").isdigit() or len(value) > 19:
        raise ValueError("must be a whole number")
    return min(int(value), _LARGEST)


def _uuid(value: str) -> str:
    try:
        return str(UUID(value))
    except ValueError:
        raise ValueError("must be a UUID") from None


def instant(value: str) -> datetime:
    """A date (its first moment, UTC) or an RFC 3339 time. Raises ValueError."""
    try:
        if len(value) == 10:
            return datetime.combine(date.fromisoformat(value), time(), UTC)
        parsed = datetime.fromisoformat(value.replace(" ", "+"))
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("must be a date or an RFC 3339 time") from None


def _bound(column: ColumnElement[Any], name: str, value: str) -> ColumnElement[bool]:
    return column >= instant(value) if name.endswith("_after") else column < instant(value)


def _number(
    given: Mapping[str, list[str]], name: str, default: int, largest: int, faults: list[Fault]
) -> int:
    try:
        value = _integer(given[name][-1]) if name in given else default
    except ValueError:
        value = 0
    if not 1 <= value <= largest:
        faults.append(Fault(name, f"must be a whole number from 1 to {largest}"))
    return value


def _order(
    listing: Listing, given: Mapping[str, list[str]], faults: list[Fault]
) -> tuple[ColumnElement[Any], ...]:
    name = given.get("sort", [listing.sort])[-1]
    direction = given.get("order", [listing.order if "sort" not in given else "asc"])[-1]
    if direction not in {"asc", "desc"}:
        faults.append(Fault("order", "must be asc or desc"))
    if name not in listing.fields:
        faults.append(Fault("sort", f"{name!r} is no field to sort by"))
        return ()
    each, tie = listing.fields[name], listing.fields[listing.tie]
    ordered = each.column.desc() if direction == "desc" else each.column.asc()
    if each.nullable:
        ordered = ordered.nulls_last() if direction == "desc" else ordered.nulls_first()
    return (ordered, tie.column.desc() if direction == "desc" else tie.column.asc())
