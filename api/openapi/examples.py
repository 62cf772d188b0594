"""Examples of answers, made from how they look and from the example of what one sends."""

from collections.abc import Mapping
from typing import Any

from api.openapi.describe import Schema

_FORMATS = {"uuid": "123e4567-e89b-12d3-a456-426614174000", "date-time": "2024-01-01T00:00:00Z"}
_TYPES: Mapping[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False}


def shown(shape: Schema, sent: Mapping[str, Any]) -> dict[str, Any] | None:
    """An object of this shape with what was sent of it; none where there is no example of that."""
    if not sent:
        return None
    return {name: sent.get(name, _sample(each)) for name, each in shape["properties"].items()}


def page(key: str, shape: Schema, sent: Mapping[str, Any]) -> dict[str, Any] | None:
    """The page of a list that has one such object."""
    one = shown(shape, sent)
    return None if one is None else {key: [one], "total": 1, "page": 1, "limit": 20, "pages": 1, "next": None}


def _sample(schema: Schema) -> Any:
    """The plainest value that there is."""
    if "default" in schema:
        return schema["default"]
    if "enum" in schema:
        return schema["enum"][0]
    if several := schema.get("anyOf"):
        return None if {"type": "null"} in several else _sample(several[0])
    if schema["type"] in {"array", "object"}:
        return (
            []
            if schema["type"] == "array"
            else {n: _sample(e) for n, e in schema.get("properties", {}).items()}
        )
    return _FORMATS.get(schema.get("format", ""), schema.get("minimum", _TYPES[schema["type"]]))
