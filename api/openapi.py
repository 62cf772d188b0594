"""What the OpenAPI document says of doors: the parts that many doors share."""

import re
from collections.abc import Mapping
from typing import Any

from api.describe import Answer, Body, Docs, Parameter, Schema
from state.kind import Kind
from state.listing import Listing
from state.shown import listing

_TYPES = {"int": {"type": "integer"}, "bool": {"type": "boolean"}}
_DRY_RUN = Parameter("dry_run", {"type": "boolean"}, "Store nothing; answer 200 with the plan.")
_WAIT = Parameter(
    "wait",
    {"type": "number", "minimum": 0, "maximum": 60},
    "Hold the answer until it is Ready, Blocked or failed, for so many seconds at most.",
)
IF_MATCH = Parameter("If-Match", {"type": "string"}, "The entity tag that it must still have.", "header")
IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255},
    "The same key and request within a day are done once and answered as before.",
    "header",
)
ERROR: Schema = {
    "type": "object",
    "required": ["error", "status", "details"],
    "properties": {
        "error": {"type": "string"},
        "status": {"type": "integer"},
        "details": {"type": "object", "properties": {"code": {"type": "string"}}},
    },
}


def object_docs(kind: Kind, action: str) -> Docs:
    """The parameters, body and answers of one door to the objects of a kind."""
    shown = _shown(kind)
    answer = {
        "list": Answer(200, "A page", page_schema(kind.plural, shown)),
        "create": Answer(201, "Created", shown),
        "get": Answer(200, "The object", shown),
        "update": Answer(200, "The object as it is now", shown),
        "delete": Answer(204, "Deleted"),
    }[action]
    if action == "list":
        return Docs(kind.plural, (answer,), list_parameters(listing(kind)))
    parameters = path_parameters("" if action == "create" else "/{id}")
    if action != "get":
        parameters += write_parameters(creating=action == "create")
    if action in {"update", "delete"}:
        parameters += (IF_MATCH,)
    writes = action in {"create", "update"}
    body = Body(_accepted(kind, creating=action == "create")) if writes else None
    return Docs(kind.plural, (answer,), parameters, body)


def path_parameters(path: str) -> tuple[Parameter, ...]:
    """The parameters that stand in a path."""
    names = re.findall(r"\{(\w+)\}", path)
    return tuple(Parameter(name, {"type": "string"}, "", "path", required=True) for name in names)


def write_parameters(*, creating: bool = False) -> tuple[Parameter, ...]:
    """What every write may be asked for beside its body."""
    return (_DRY_RUN, _WAIT, IDEMPOTENCY_KEY) if creating else (_DRY_RUN, _WAIT)


def list_parameters(each: Listing) -> tuple[Parameter, ...]:
    """The query parameters of a list."""
    known = [
        Parameter("page", {"type": "integer", "minimum": 1, "default": 1}, "Page number"),
        Parameter(
            "limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}, "Items per page"
        ),
        Parameter(
            "sort", {"type": "string", "enum": sorted(each.fields), "default": each.sort}, "Field to sort by"
        ),
        Parameter("order", {"type": "string", "enum": ["asc", "desc"], "default": each.order}, "Direction"),
    ]
    if each.search:
        known.append(Parameter("search", {"type": "string"}, f"Search in {', '.join(each.search)}"))
    known += [
        Parameter(name, {"type": "string"}, f"Only these values of {name}, comma-separated")
        for name in each.fields
    ]
    known += [Parameter(name, {"type": "string"}, "A date or an RFC 3339 time") for name in each.times]
    return tuple(known)


def page_schema(key: str, item: Schema) -> dict[str, Any]:
    """A page of a list."""
    numbers = {name: {"type": "integer"} for name in ("total", "page", "limit", "pages")}
    properties = {key: {"type": "array", "items": dict(item)}, **numbers}
    return {"type": "object", "required": sorted(properties), "properties": properties}


def operation(docs: Docs, *, public: bool) -> dict[str, Any]:
    """A door as an operation object of the document."""
    answers: dict[str, Any] = {str(each.status): _answer(each) for each in docs.answers}
    answers["default"] = _answer(Answer(0, "An error", ERROR))
    found: dict[str, Any] = {
        "tags": [docs.tag],
        "parameters": [_parameter(each) for each in docs.parameters],
        "responses": answers,
        "security": [] if public else [{"bearer": []}],
    }
    if docs.body:
        media: dict[str, Any] = {"schema": dict(docs.body.schema)}
        if docs.body.examples:
            media["examples"] = {name: {"value": value} for name, value in docs.body.examples.items()}
        found["requestBody"] = {"required": docs.body.required, "content": {"application/json": media}}
    return found


def _answer(each: Answer) -> dict[str, Any]:
    content = {} if each.schema is None else {media: {"schema": dict(each.schema)} for media in each.media}
    return {"description": each.description, **({"content": content} if content else {})}


def _parameter(each: Parameter) -> dict[str, Any]:
    return {
        "name": each.name,
        "in": each.place,
        "required": each.required,
        "schema": dict(each.schema),
        "description": each.description,
    }


def _accepted(kind: Kind, *, creating: bool) -> dict[str, Any]:
    schema = _own(kind)
    properties, required = dict(schema["properties"]), set(schema.get("required", ()))
    if kind.password:
        properties["password"] = {"type": "string", "minLength": 8, "maxLength": 1024, "writeOnly": True}
    if creating:
        properties |= {kind.name_field: {"type": "string"}, "user_id": {"type": "string", "format": "uuid"}}
        required |= {kind.name_field, *(("password",) if kind.password else ())}
        required -= {"document_root"}
    docs = {"type": "object", "additionalProperties": False, "properties": properties}
    return docs | ({"required": sorted(required)} if creating else {})


def _shown(kind: Kind) -> dict[str, Any]:
    fields = listing(kind).fields
    simple = {name: dict(_TYPES.get(each.type.__name__, {"type": "string"})) for name, each in fields.items()}
    extra = {"conditions": {"type": "array", "items": {"type": "object"}}}
    return {"type": "object", "properties": {**simple, **_own(kind)["properties"], **extra}}


def _own(kind: Kind) -> Mapping[str, Any]:
    return kind.schema.model_json_schema()
