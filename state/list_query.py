"""What is asked of a list: query parameters understood, every one that is unknown or wrong named at once."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_

from state import cursor
from state.errors import Fault, Invalid
from state.listing import Field, Listing, Sorting, Wanted
from state.names import with_a_labels

LARGEST_PAGE, MOST_VALUES = 10**9, 100
SHAPING = ("page", "limit", "sort", "order", "cursor")
_LARGEST = 2**63 - 1
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_TRUTHS = {"true": True, "1": True, "false": False, "0": False}
_Given = Mapping[str, list[str]]


def read(listing: Listing, parameters: Iterable[tuple[str, str]]) -> Wanted:
    """The query parameters understood. Raises Invalid with every one that is unknown or wrong."""
    given: dict[str, list[str]] = {}
    for name, value in parameters:
        given.setdefault(name, []).append(value)
    filters = {name: values for name, values in given.items() if name not in SHAPING}
    faults: list[Fault] = []
    conditions = [c for name, values in filters.items() for c in _condition(listing, name, values, faults)]
    page = _number(given, "page", 1, LARGEST_PAGE, faults)
    limit = _number(given, "limit", 20, 100, faults)
    sorting = _sorting(listing, given, faults)
    asked, behind = cursor.digest((n, v) for n, values in filters.items() for v in values), None
    if "cursor" in given:
        place = _place(listing, given, asked, faults)
        if place is not None:
            page, sorting, behind = place
    if faults or sorting is None:
        raise Invalid(faults)
    return Wanted(sorting, tuple(conditions), page, limit, asked, behind)


def _place(
    listing: Listing, given: _Given, asked: str, faults: list[Fault]
) -> tuple[int, Sorting, ColumnElement[bool]] | None:
    """Where the page of a cursor begins, its number, and the order that it was made in."""
    if "page" in given:
        faults.append(Fault("page", "cannot be said with a cursor, which has its own"))
    try:
        found = cursor.read(given["cursor"][-1])
        sorting = _sorting_of(listing, found)
        value = cursor.plain(found.value, sorting.by.type, nullable=sorting.by.nullable)
        tie = cursor.plain(found.tie, sorting.tie.type)
    except ValueError:
        faults.append(Fault("cursor", "is no cursor of this list: begin again without one"))
        return None
    same = [found.asked == asked]
    same += [
        given[name][-1] == was
        for name, was in (("sort", found.sort), ("order", found.order))
        if name in given
    ]
    if not all(same):
        faults.append(
            Fault("cursor", "was made with other filters or another order: begin again without one")
        )
    return found.page, sorting, sorting.behind(value, tie)


def _sorting_of(listing: Listing, found: cursor.Cursor) -> Sorting:
    if found.sort not in listing.fields or found.order not in {"asc", "desc"}:
        raise ValueError("is no cursor of this list")
    return listing.sorting(found.sort, found.order)


def _condition(
    listing: Listing, name: str, values: list[str], faults: list[Fault]
) -> list[ColumnElement[bool]]:
    if any(_CONTROL.search(value) for value in values):
        faults.append(Fault(name, "must not contain control characters"))
        return []
    if sum(value.count(",") + 1 for value in values) > MOST_VALUES:
        faults.append(Fault(name, f"may have {MOST_VALUES} values"))
        return []
    if name == "search" and listing.search:
        columns = [listing.fields[each].column for each in listing.search]
        return [and_(*(or_(*_containing(columns, value)) for value in values))]
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


def _containing(columns: Iterable[ColumnElement[Any]], value: str) -> Iterator[ColumnElement[bool]]:
    """That a column has the text in it, or, of a host name, its labels in the form that is stored."""
    forms = dict.fromkeys((value, with_a_labels(value)))
    return (column.icontains(form, autoescape=True) for column in columns for form in forms)


def _among(each: Field, values: list[str]) -> ColumnElement[bool]:
    parsed = [parse(each, value) for value in values]
    if each.among:
        return each.among(parsed)
    found = each.column.in_([each.literal(value) for value in parsed if value is not None])
    return or_(found, each.column.is_(None)) if None in parsed else found


def parse(each: Field, value: str) -> Any:
    """A text of a query or a path as a value of the field. Raises ValueError."""
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


def _number(given: _Given, name: str, default: int, largest: int, faults: list[Fault]) -> int:
    try:
        value = _integer(given[name][-1]) if name in given else default
    except ValueError:
        value = 0
    if not 1 <= value <= largest:
        faults.append(Fault(name, f"must be a whole number from 1 to {largest}"))
    return value


def _sorting(listing: Listing, given: _Given, faults: list[Fault]) -> Sorting | None:
    name = given.get("sort", [listing.sort])[-1]
    direction = given.get("order", [listing.order if "sort" not in given else "asc"])[-1]
    if direction not in {"asc", "desc"}:
        faults.append(Fault("order", "must be asc or desc"))
    if name not in listing.fields:
        faults.append(Fault("sort", f"{name!r} is no field to sort by"))
        return None
    return listing.sorting(name, direction)
