"""What the OpenAPI document says of doors that the framework cannot read off their signatures."""

from collections.abc import Mapping
from typing import Any

from state.kind import Kind
from state.listing import Listing
from state.shown import listing

_TYPES = {"int": {"type": "integer"}, "bool": {"type": "boolean"}}
_WRITE = (
    ("dry_run", {"type": "boolean"}, "Store nothing; answer 200 with the plan."),
    (
        "wait",
        {"type": "number", "minimum": 0, "maximum": 60},
        "Hold the answer until it is Ready, Blocked or failed.",
    ),
)
_ERROR = {
    "type": "object",
    "required": ["error", "status", "details"],
    "properties": {
        "error": {"type": "string"},
        "status": {"type": "integer"},
        "details": {"type": "object", "properties": {"code": {"type": "string"}}},
    },
}


def object_docs(kind: Kind, action: str) -> dict[str, Any]:
    """The parameters, body and answers of one door to the objects of a kind."""
    shown = _shown(kind)
    answers: dict[str, Any] = {
        "list": {"200": _answer("A page", _page(kind.plural, shown))},
        "create": {"201": _answer("Created", shown)},
        "get": {"200": _answer("The object", shown)},
        "update": {"200": _answer("The object as it is now", shown)},
        "delete": {"204": {"description": "Deleted"}},
    }[action]
    docs: dict[str, Any] = {"tags": [kind.plural], "responses": answers | errors()}
    if action == "list":
        return docs | {"parameters": list_parameters(listing(kind))}
    parameters = (
        [] if action == "create" else [_parameter("id", {"type": "string", "format": "uuid"}, "", "path")]
    )
    if action != "get":
        parameters += [_parameter(*each) for each in _WRITE]
    if action in {"update", "delete"}:
        parameters.append(
            _parameter("If-Match", {"type": "string"}, "The ETag that it must still have.", "header")
        )
    docs["parameters"] = parameters
    if action in {"create", "update"}:
        docs["requestBody"] = json_body(_accepted(kind, creating=action == "create"))
    return docs


def list_parameters(each: Listing) -> list[dict[str, Any]]:
    """The query parameters of a list."""
    known: list[tuple[str, Mapping[str, Any], str]] = [
        ("page", {"type": "integer", "minimum": 1, "default": 1}, "Page number"),
        ("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}, "Items per page"),
        ("sort", {"type": "string", "enum": sorted(each.fields), "default": each.sort}, "Field to sort by"),
        ("order", {"type": "string", "enum": ["asc", "desc"], "default": each.order}, "Direction"),
    ]
    if each.search:
        known.append(("search", {"type": "string"}, f"Search in {', '.join(each.search)}"))
    known += [
        (name, {"type": "string"}, f"Only these values of {name}, comma-separated") for name in each.fields
    ]
    known += [(name, {"type": "string"}, "A date or an RFC 3339 time") for name in each.times]
    return [_parameter(*one) for one in known]


def json_body(schema: Mapping[str, Any], *, required: bool = True) -> dict[str, Any]:
    """A request body."""
    return {"required": required, "content": {"application/json": {"schema": dict(schema)}}}


def errors() -> dict[str, Any]:
    """The answer to whatever goes wrong."""
    return {"default": _answer("An error", _ERROR)}


def answer(status: int, description: str) -> dict[str, Any]:
    """Answers of a door whose content is described in words."""
    return {"responses": {str(status): {"description": description}} | errors()}


def _answer(description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": dict(schema)}}}


def _parameter(
    name: str, schema: Mapping[str, Any], description: str, place: str = "query"
) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "schema": dict(schema),
        "description": description,
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


def _page(key: str, item: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {name: {"type": "integer"} for name in ("total", "page", "limit", "pages")}
    return {"type": "object", "properties": {key: {"type": "array", "items": dict(item)}, **numbers}}


def _own(kind: Kind) -> dict[str, Any]:
    return kind.schema.model_json_schema()
