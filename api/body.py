"""Request bodies: JSON of a bounded size that every store and file can hold."""

import json
from typing import Any, NoReturn

from starlette.requests import Request

from api.errors import Malformed, TooLarge, UnsupportedMedia
from state.errors import Fault, Invalid

MIB = 2**20
_JSON = ("application/json", "application/merge-patch+json")
Object = dict[str, Any]


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
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _JSON:
        raise UnsupportedMedia("send the body as application/json")
    try:
        value = json.loads(content.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Malformed("the body is not valid JSON (RFC 8259) in UTF-8") from None
    if b"\\u" in content:
        faults = list(_unstorable(value, ""))
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


def _too_large(largest: int) -> TooLarge:
    return TooLarge(f"the body may have {largest} bytes", largest=largest)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _unstorable(value: Any, path: str) -> list[Fault]:
    """A fault for each text with a NUL or half a surrogate pair, which no database takes."""
    if isinstance(value, str):
        bad = "\0" in value or any("\ud800" <= c <= "\udfff" for c in value)
        return [Fault(path, "must not contain NUL or unpaired surrogates")] if bad else []
    if isinstance(value, dict):
        keys = [fault for key in value for fault in _unstorable(key, path)]
        return keys or [f for k, v in value.items() for f in _unstorable(v, f"{path}.{k}".lstrip("."))]
    if isinstance(value, list):
        return [f for i, v in enumerate(value) for f in _unstorable(v, f"{path}.{i}".lstrip("."))]
    return []
