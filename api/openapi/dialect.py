"""JSON Schemas as pydantic writes them (draft 2020-12) in the dialect of OpenAPI 3.0.3, which has an older one.

What has no equal there is told in other words (``const`` as an ``enum`` of one, a null type as ``nullable``); what
cannot be told at all raises ValueError, so that no door promises less than it holds without anybody noticing.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
REFERENCE = "#/components/schemas/"
_DEFINITION = "#/$defs/"
_KEPT = frozenset(
    """
    title multipleOf maximum minimum maxLength minLength pattern maxItems minItems uniqueItems maxProperties
    minProperties required enum type description format default nullable readOnly writeOnly example deprecated
    exclusiveMaximum exclusiveMinimum
    """.split()
)
_LISTS, _ONES = frozenset({"allOf", "anyOf", "oneOf"}), frozenset({"not", "items"})


def schema_object(schema: Schema, named: dict[str, Schema]) -> dict[str, Any]:
    """The schema in the dialect. An object with a title becomes a component: it is put among `named`, and the
    answer refers to it. Raises ValueError when two different ones have one name."""
    for name, definition in schema.get("$defs", {}).items():
        _keep(name, _converted(definition, named), named)
    converted = _converted({k: v for k, v in schema.items() if k != "$defs"}, named)
    if "title" not in converted:
        return converted
    _keep(converted["title"], converted, named)
    return {"$ref": REFERENCE + converted["title"]}


def _keep(name: str, schema: Schema, named: dict[str, Schema]) -> None:
    if named.setdefault(name, schema) != schema:
        raise ValueError(f"there are two schemas of the name {name!r}: give one another title")


def _converted(schema: Schema, named: dict[str, Schema]) -> dict[str, Any]:
    if "$ref" in schema:
        return {"$ref": REFERENCE + str(schema["$ref"]).removeprefix(_DEFINITION).removeprefix(REFERENCE)}
    if "properties" not in schema:
        schema = {k: v for k, v in schema.items() if k != "title"}
    found: dict[str, Any] = {}
    for keyword, value in schema.items():
        found |= dict(_keyword(keyword, value, named))
    return _with_null(found, named)


def _keyword(keyword: str, value: Any, named: dict[str, Schema]) -> Iterator[tuple[str, Any]]:
    """What one keyword becomes."""
    if keyword in _LISTS:
        yield keyword, [schema_object(each, named) for each in value]
    elif keyword in _ONES:
        yield keyword, schema_object(value, named)
    elif keyword == "properties":
        yield keyword, {name: schema_object(each, named) for name, each in value.items()}
    elif keyword == "additionalProperties":
        yield keyword, schema_object(value, named) if isinstance(value, Mapping) else value
    elif keyword == "const":
        yield "enum", [value]
    elif keyword == "examples":
        yield "example", value[0]
    elif keyword in {"exclusiveMinimum", "exclusiveMaximum"} and not isinstance(value, bool):
        yield "m" + keyword.removeprefix("exclusiveM"), value
        yield keyword, True
    elif keyword == "prefixItems":
        yield "items", {"anyOf": [schema_object(each, named) for each in value]}
    elif keyword in _KEPT:
        yield keyword, value
    else:
        raise ValueError(f"{keyword!r} has no equal in OpenAPI 3.0")


def _with_null(schema: dict[str, Any], named: Mapping[str, Schema]) -> dict[str, Any]:
    """The schema with a null type among its alternatives told as ``nullable``."""
    if isinstance(schema.get("type"), list):
        types = schema.pop("type")
        schema["anyOf"] = [{"type": each} for each in types]
    alternatives = schema.get("anyOf", [])
    rest = [each for each in alternatives if each.get("type") != "null"]
    if len(rest) == len(alternatives):
        return schema
    outer = {k: v for k, v in schema.items() if k != "anyOf"}
    inner = _inlined(rest[0], named) if len(rest) == 1 else {"anyOf": rest}
    whole = {**inner, **outer, "nullable": True}
    if "enum" in whole:
        whole["enum"] = [*whole["enum"], *([] if None in whole["enum"] else [None])]
    return whole


def _inlined(schema: Schema, named: Mapping[str, Schema]) -> Schema:
    """What a reference refers to: ``nullable`` does nothing beside one."""
    if "$ref" not in schema:
        return schema
    found = named[str(schema["$ref"]).removeprefix(REFERENCE)]
    return {k: v for k, v in found.items() if k != "title"}
