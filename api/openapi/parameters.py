"""The parts of a door's description that many doors share: parameters of paths, lists and writes, and pages."""

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from api.openapi.describe import Parameter, Schema
from api.openapi.schemas import COUNT, IDENTIFIER, NUMBER, TEXT, TRUTH, listed, nullable, one_of, shape, told
from state.list_query import LARGEST_PAGE, MOST_VALUES
from state.listing import Field, Listing

_DRY_RUN = Parameter(
    "dry_run", {**TRUTH, "default": False}, "Store nothing; answer 200 with the plan of what would be done."
)
_WAIT = Parameter(
    "wait",
    {"type": "number", "minimum": 0, "maximum": 60, "default": 0},
    "Hold the answer until what was written is Ready, Blocked or failed, for so many seconds at most.",
)
IF_MATCH = Parameter(
    "If-Match",
    TEXT,
    "The entity tag that it must still have (RFC 9110, section 13.1.1); with another one the answer is 412. Only "
    "the part before the hyphen is compared, which changes with what is written, not with what is found; it may stand "
    "alone.",
    "header",
    example='"3-60b725f10c9c85c70d97880d"',
)
IF_NONE_MATCH = Parameter(
    "If-None-Match",
    TEXT,
    "The entity tag of what one has; while it is that, the answer is 304 (RFC 9110, section 13.1.2).",
    "header",
    example='"3"',
)
IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7e]+$"},
    "The same key with the same request within 24 hours is done once, and answered as at first; "
    "with another request the answer is 409.",
    "header",
    example="5f1f6c1e-create-newsite",
)
LAST_EVENT_ID = Parameter(
    "Last-Event-ID",
    {"type": "string", "pattern": "^[0-9]{1,18}$"},
    "The number of the last event that was received: the stream goes on after it.",
    "header",
)
_NOTHING: Schema = {"type": "string", "maxLength": 0, "description": "Those that have none."}
MOMENT: Schema = {
    "anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}],
    "description": "A date (its first moment, UTC) or an RFC 3339 time.",
}


def path_parameters(path: str, identifier: Schema = IDENTIFIER) -> tuple[Parameter, ...]:
    """The parameters that stand in a path; `identifier` is the schema of ids."""
    return tuple(
        Parameter(name, _schema_of(name, identifier), f"Its {name}.", "path", required=True)
        for name in re.findall(r"\{(\w+)\}", path)
    )


def _schema_of(name: str, identifier: Schema) -> Schema:
    return identifier if name == "id" else IDENTIFIER if name.endswith("_id") else TEXT


def write_parameters(*, creating: bool = False) -> tuple[Parameter, ...]:
    """What every write may be asked for beside its body."""
    return (_DRY_RUN, _WAIT, IDEMPOTENCY_KEY) if creating else (_DRY_RUN, _WAIT)


def list_parameters(each: Listing) -> tuple[Parameter, ...]:
    """The query parameters of a list."""
    pages = {**NUMBER, "maximum": LARGEST_PAGE, "default": 1}
    known = [
        Parameter("page", pages, "Page number.", example=1),
        Parameter("limit", {**NUMBER, "maximum": 100, "default": 20}, "Items per page.", example=20),
        Parameter("sort", {**one_of(*sorted(each.fields)), "default": each.sort}, "Field to sort by."),
        Parameter(
            "order",
            one_of("asc", "desc"),
            f"Direction: `asc` unless given, or `{each.order}` where `sort` is not given either.",
        ),
        Parameter(
            "cursor", TEXT, "Where the page begins: the `next` of the page before, with the same filters."
        ),
    ]
    if each.search:
        known.append(
            Parameter("search", _printable(TEXT), f"A text that one of {', '.join(each.search)} contains.")
        )
    known += [_filter(name, one) for name, one in each.fields.items()]
    known += [_bound(name, of) for name, of in each.times.items()]
    return tuple(known)


def page_schema(key: str, item: Schema) -> Schema:
    """A page of a list."""
    counts = {
        "total": told(COUNT, "How many there are on all pages."),
        "page": NUMBER,
        "limit": COUNT,
        "pages": COUNT,
        "next": nullable(told(TEXT, "The cursor of the next page; null on the last.")),
    }
    return shape(f"{item['title']}Page", {key: listed(item), **counts})


def _filter(name: str, each: Field) -> Parameter:
    """Any of several values of a field."""
    several = {**listed(_value(each)), "minItems": 1, "maxItems": MOST_VALUES}
    return Parameter(name, several, f"Only those whose `{name}` is one of these, with commas.")


def _value(each: Field) -> Schema:
    types: dict[type, Schema] = {
        int: {"type": "integer", "minimum": 1 - 10**18, "maximum": 10**19 - 1},
        bool: TRUTH,
        UUID: IDENTIFIER,
        datetime: MOMENT,
    }
    value = types.get(each.type) or _printable(TEXT)
    return {"anyOf": [value, _NOTHING]} if each.nullable and each.type is not str else value


def _bound(name: str, of: str) -> Parameter:
    """Its example is in the words: Swagger UI would send one that stands apart whenever one tries the door."""
    side = "at or after" if name.endswith("_after") else "before"
    return Parameter(name, MOMENT, f"Only those whose `{of}` is {side} this, such as `2024-01-01`.")


def _printable(schema: Schema) -> dict[str, Any]:
    """A text of a query: it has no control characters."""
    return {**schema, "pattern": "^[^\\x00-\\x1f\\x7f-\\x9f]*$"}
