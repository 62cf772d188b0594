"""JSON as the database has it, whatever somebody made of it by hand: read, and asked for single fields."""

import json
import math
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import Column, ColumnElement, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

UNREADABLE = "\ufffd"


def read_json(text: Any) -> Any:
    """The value, by the quicker reader where that takes it: it refuses halves of characters and what is nested deeply.

    What no answer can have in it is replaced: NaN and Infinity by None, halves by U+FFFD, and by that also the whole
    where it is no JSON, or nested so deeply that nobody writes it: the audit must not take it for nothing.
    A number may be infinite still that is written in digits: see `finite`.
    """
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError:
        return _read_slowly(text)


def _read_slowly(text: Any) -> Any:
    try:
        value = _without_halves(json.loads(text, parse_constant=_no_number, parse_float=_finite))
        to_json(value)
    except (ValueError, RecursionError):
        return UNREADABLE
    return value


def finite(value: Any) -> Any:
    """The value with None for what is NaN or infinite."""
    return json.loads(json.dumps(value), parse_constant=_no_number)


def _no_number(_: str) -> None:
    return None


def _finite(text: str) -> float | None:
    return number if math.isfinite(number := float(text)) else None


def _without_halves(value: Any) -> Any:
    """Without halves of characters (surrogates), which no answer can have in it and PostgreSQL takes none of.

    Only somebody else can have written them: they are replaced (U+FFFD). A pair of them is a character.
    """
    units = json.dumps(value, ensure_ascii=False).encode("utf-16-le", "surrogatepass")
    return json.loads(units.decode("utf-16-le", "replace"))


def object_of(stored: Any, type_: type) -> dict[str, Any]:
    """Of what is stored as an object the members of this type."""
    if not isinstance(stored, dict):
        return {}
    if {*map(type, stored.values())} <= {type_}:
        return stored
    return {name: value for name, value in stored.items() if type(value) is type_}


class _Sound(FunctionElement[Any]):
    inherit_cache = True


def sound(column: Column[Any]) -> ColumnElement[Any]:
    """The column of JSON to ask for fields of: SQLite fails the whole query where one row has what is no JSON."""
    return type_coerce(_Sound(column), column.type)


@compiles(_Sound)
def _as_it_is(element: _Sound, compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(_Sound, "sqlite")
def _valid(element: _Sound, compiler: SQLCompiler, **options: Any) -> str:
    column = compiler.process(element.clauses, **options)
    return f"CASE WHEN json_valid({column}) THEN {column} END"
