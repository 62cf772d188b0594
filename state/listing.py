"""Listing: one page of rows that the database filtered, searched and sorted, always in a total order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    and_,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from state.cursor import Cursor, write

_VALUE, _TIE = "value_of_the_sort", "value_of_the_tie"


@dataclass(frozen=True, slots=True)
class Field:
    """A field to filter and sort by: its expression and type (str, int, bool, datetime, UUID).

    `among` says how a row matches one of several values, where that is not simply being one of them.
    """

    column: ColumnElement[Any]
    type: type
    nullable: bool = False
    among: Callable[[Sequence[Any]], ColumnElement[bool]] | None = None

    def literal(self, value: Any) -> ColumnElement[Any]:
        """The value to compare with; a number may be larger than the column's can be."""
        return literal(value, BigInteger() if self.type is int else self.column.type)


@dataclass(frozen=True, slots=True)
class Sorting:
    """A total order: by the field named `sort`, ties broken by another; of what is null, first or last (descending)."""

    sort: str
    by: Field
    tie: Field
    order: str = "asc"

    def columns(self) -> tuple[ColumnElement[Any], ...]:
        """What to order by."""
        descending = self.order == "desc"
        ordered = self.by.column.desc() if descending else self.by.column.asc()
        if self.by.nullable:
            ordered = ordered.nulls_last() if descending else ordered.nulls_first()
        return (ordered, self.tie.column.desc() if descending else self.tie.column.asc())

    def behind(self, value: Any, tie: Any) -> ColumnElement[bool]:
        """The rows that come after the one with these values."""
        descending = self.order == "desc"
        last = self.tie.literal(tie)
        later = self.tie.column < last if descending else self.tie.column > last
        column, null = self.by.column, self.by.column.is_(None)
        if value is None:
            return and_(null, later) if descending else or_(~null, and_(null, later))
        here = tuple_(column, self.tie.column)
        there = tuple_(self.by.literal(value), last)
        further = here < there if descending else here > there
        return or_(further, null) if descending and self.by.nullable else further


@dataclass(frozen=True, slots=True)
class Wanted:
    """A listing as it was asked for; `asked` stands for its filters, `behind` is where its page begins."""

    sorting: Sorting
    conditions: tuple[ColumnElement[bool], ...] = ()
    page: int = 1
    limit: int = 20
    asked: str = ""
    behind: ColumnElement[bool] | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of one page, how many there are on all of them, and the cursor of the next one, if there is one."""

    rows: Sequence[Row[Any]]
    total: int
    page: int
    limit: int
    next: str | None = None

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

    def sorting(self, sort: str, order: str) -> Sorting:
        """The order by one of the fields."""
        return Sorting(sort, self.fields[sort], self.fields[self.tie], order)


def fetch(connection: Connection, query: Select[Any], counted: FromClause, wanted: Wanted) -> Page:
    """One page of `query`; `counted` is the table whose rows the conditions select.

    A row more than the page has is asked for, which tells whether there is another page.
    """
    sorting, limit = wanted.sorting, wanted.limit
    chosen = query.where(*wanted.conditions)
    marked = chosen.add_columns(sorting.by.column.label(_VALUE), sorting.tie.column.label(_TIE))
    if wanted.behind is not None:
        marked = marked.where(wanted.behind)
    elif wanted.page > 1:
        marked = _skipping(marked, chosen, counted, wanted)
    rows = connection.execute(marked.order_by(*sorting.columns()).limit(limit + 1)).all()
    shown, more = rows[:limit], len(rows) > limit
    total = len(rows)
    if more or wanted.page > 1:
        total = _total(connection, chosen, counted)
    following = _cursor(wanted, shown[-1]) if more else None
    return Page(shown, total, wanted.page, limit, following)


def _skipping(marked: Select[Any], chosen: Select[Any], counted: FromClause, wanted: Wanted) -> Select[Any]:
    """The page's rows by number: they are found in the table alone, before anything is joined to them."""
    tie, start = wanted.sorting.tie.column, (wanted.page - 1) * wanted.limit
    found = select(tie).select_from(counted).where(*_conditions(chosen)).order_by(*wanted.sorting.columns())
    return marked.where(tie.in_(found.limit(wanted.limit + 1).offset(start)))


def _total(connection: Connection, chosen: Select[Any], counted: FromClause) -> int:
    query = select(func.count()).select_from(counted).where(*_conditions(chosen))
    return int(connection.execute(query).scalar_one())


def _conditions(chosen: Select[Any]) -> tuple[ColumnElement[bool], ...]:
    return () if chosen.whereclause is None else (chosen.whereclause,)


def _cursor(wanted: Wanted, last: Row[Any]) -> str:
    value, tie = last._mapping[_VALUE], last._mapping[_TIE]  # noqa: SLF001 - SQLAlchemy's public name
    sorting = wanted.sorting
    return write(Cursor(sorting.sort, sorting.order, wanted.asked, wanted.page + 1, value, tie))
