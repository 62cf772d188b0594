"""A place in a list: behind which row the next page begins, as an opaque text that is checked when it comes back."""

import base64
import binascii
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

_LARGEST, _LARGEST_PAGE = 2**63 - 1, 10**9
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row's value of the field that the list is sorted by, and what breaks its ties.

    `asked` stands for the filters, `page` is the number of the page that begins here.
    """

    sort: str
    order: str
    asked: str
    page: int
    value: Any
    tie: Any


def digest(filters: Iterable[tuple[str, str]]) -> str:
    """What stands for filters, in whatever order they were given."""
    return sha256(json.dumps(sorted(filters)).encode()).hexdigest()[:16]


def write(cursor: Cursor) -> str:
    """The cursor as text."""
    value = cursor.value.isoformat() if isinstance(cursor.value, datetime) else cursor.value
    fields = [cursor.sort, cursor.order, cursor.asked, cursor.page, value, cursor.tie]
    return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")


def read(text: str) -> Cursor:
    """The cursor of a text; its values are checked by `plain`. Raises ValueError."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        sort, order, asked, page, value, tie = json.loads(raw)
    except (binascii.Error, TypeError, ValueError, RecursionError):
        raise ValueError("is no cursor of this list") from None
    named = isinstance(sort, str) and isinstance(order, str) and isinstance(asked, str)
    if not named or type(page) is not int or not 1 < page <= _LARGEST_PAGE:
        raise ValueError("is no cursor of this list")
    return Cursor(sort, order, asked, page, value, tie)


def plain(value: Any, type_: type, *, nullable: bool = False) -> Any:
    """A cursor's value as one of a field of this type. Raises ValueError."""
    if value is None and nullable:
        return None
    if type_ is datetime and isinstance(value, str):
        return _moment(value)
    if type_ is UUID and isinstance(value, str):
        return str(UUID(value))
    if type_ is str and isinstance(value, str) and not _UNSTORABLE.search(value):
        return value
    if type_ is bool and isinstance(value, bool):
        return value
    if type_ is int and type(value) is int and abs(value) <= _LARGEST:
        return value
    raise ValueError("is no cursor of this list")


def _moment(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except OverflowError:
        raise ValueError("is no cursor of this list") from None
