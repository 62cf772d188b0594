"""Request bodies: JSON of a bounded size, depth and width that every store and file can hold."""

import json
import math
import re
from collections.abc import Iterator
from email.message import Message
from functools import lru_cache
from typing import Any, NoReturn

from starlette.requests import Request

from api.errors import Malformed, TooLarge, UnsupportedMedia
from state.errors import Fault, Invalid

MIB = 2**20
DEEPEST, MOST_MEMBERS, LONGEST_NAME, MOST_VALUES = 64, 1000, 256, 1_000_000
_JSON = ("application/json", "application/merge-patch+json")
_UTF_8 = ("utf-8", "utf8", "us-ascii")
_LARGEST = 2**63 - 1
_UNPRINTABLE = re.compile("[\0\ud800-\udfff]")
Object = dict[str, Any]


def is_small(request: Request) -> bool:
    """Whether the body has said that it is one of those that anybody may send."""
    declared = request.headers.get("content-length", "" if "transfer-encoding" in request.headers else "0")
    return declared.isdigit() and int(declared) <= MIB


async def read(request: Request, largest: int) -> bytes:
    """The body's bytes. Raises TooLarge as soon as it is known."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > largest:
        raise _too_large(largest)
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > largest:
            raise _too_large(largest)
    return bytes(content)


def parse(request: Request, content: bytes) -> Any:
    """The JSON value of a body, None for no body. Raises Malformed, UnsupportedMedia, Invalid."""
    if not content:
        return None
    _check_media(request)
    if len(content) > MIB and content.count(b",") >= MOST_VALUES:
        raise Invalid([Fault("", f"the body may have {MOST_VALUES} values")])
    try:
        value = json.loads(
            content.decode("utf-8"),
            parse_constant=_refuse,
            parse_int=_integer,
            object_pairs_hook=_members,
        )
    except (ValueError, RecursionError):
        raise Malformed("the body is not valid JSON (RFC 8259) in UTF-8, or nested too deeply") from None
    faults = list(_unstorable(value, "", 1))
    if faults:
        raise Invalid(faults)
    return value


def as_object(value: Any) -> Object:
    """The body as a JSON object. Raises Malformed when there is none, Invalid when it is something else."""
    if value is None:
        raise Malformed("a JSON object is needed as the body")
    if not isinstance(value, dict):
        raise Invalid([Fault("", "the body must be a JSON object")])
    return value


def _check_media(request: Request) -> None:
    _check_type(request.headers.get("content-type", ""), request.method)
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMedia("send the body as it is, without a content encoding")


@lru_cache(64)
def _check_type(content_type: str, method: str) -> None:
    media = Message()
    media["content-type"] = content_type
    if media.get_content_type() not in (_JSON if method == "PATCH" else _JSON[:1]):
        raise UnsupportedMedia("send the body as application/json")
    if media.get_content_charset("utf-8") not in _UTF_8:
        raise UnsupportedMedia("send the body in UTF-8: JSON has no other charset (RFC 8259, section 8.1)")


def _too_large(largest: int) -> TooLarge:
    return TooLarge(f"the body may have {largest} bytes", largest=largest)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _integer(digits: str) -> int | float:
    """A whole number; one that is too large to be any is infinite, and refused with its place."""
    return int(digits) if len(digits) <= 20 else math.inf


def _members(pairs: list[tuple[str, Any]]) -> Object:
    """An object of a body. Raises Invalid when it has a name twice: which of the two was meant?"""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = (
            sorted({name for name in names if names.count(name) > 1})[:10]
            if len(pairs) < MOST_MEMBERS
            else []
        )
        raise Invalid(
            [Fault(_safe(name), "is there twice") for name in twice] or [Fault("", "has names twice")]
        )
    return found


def _unstorable(value: Any, path: str, depth: int) -> Iterator[Fault]:
    """A fault for each thing that no database takes or nobody means, with its place."""
    if isinstance(value, str):
        if _UNPRINTABLE.search(value):
            yield Fault(path, "must not contain NUL or unpaired surrogates")
    elif isinstance(value, dict | list):
        if depth > DEEPEST:
            raise Malformed(f"the body may be nested {DEEPEST} deep")
        if isinstance(value, dict) and (len(value) > MOST_MEMBERS or any(map(_unnameable, value))):
            yield Fault(
                path, f"may have {MOST_MEMBERS} members, with names of 1 to {LONGEST_NAME} characters"
            )
            return
        for name, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _unstorable(each, f"{path}.{name}" if path else str(name), depth + 1)
    elif isinstance(value, int | float) and not -_LARGEST <= value <= _LARGEST:
        yield Fault(path, "must be a number between -2^63 and 2^63")


def _unnameable(name: str) -> bool:
    return not 1 <= len(name) <= LONGEST_NAME or _UNPRINTABLE.search(name) is not None


def _safe(name: str) -> str:
    return name[:64].encode("ascii", "backslashreplace").decode()
