"""Words that schemas are put together from, so that a view is described in as many lines as it has."""

from collections.abc import Mapping

from api.openapi.describe import Schema

TEXT: Schema = {"type": "string"}
TRUTH: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
IDENTIFIER: Schema = {"type": "string", "format": "uuid"}
TIME: Schema = {"type": "string", "format": "date-time"}
ANYTHING: Schema = {"type": "object", "additionalProperties": True}
NUMBER: Schema = {"type": "integer", "minimum": 1}


def shape(
    title: str, properties: Mapping[str, Schema], description: str = "", *, optional: tuple[str, ...] = ()
) -> Schema:
    """An object of an answer; it has every property but the optional ones, and its title is its name."""
    told = {"description": description} if description else {}
    required = [name for name in properties if name not in optional]
    return {"title": title, "type": "object", **told, "required": required, "properties": dict(properties)}


def nullable(schema: Schema) -> Schema:
    """The schema, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def without_default(schema: Schema) -> Schema:
    """A property of an answer, which leaves nothing out, or of a change, where what is left out stays."""
    return {k: v for k, v in schema.items() if k != "default"}


def listed(schema: Schema) -> Schema:
    """A list of such."""
    return {"type": "array", "items": schema}


def one_of(*values: str) -> Schema:
    """One of these words."""
    return {"type": "string", "enum": list(values)}


def told(schema: Schema, description: str) -> Schema:
    """The schema with a sentence on what it is."""
    return {**schema, "description": description}
