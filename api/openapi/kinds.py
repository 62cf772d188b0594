"""What the doors to the objects of a kind say of themselves, written once for all kinds."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from api.openapi.describe import JSON, MERGE_PATCH, Answer, Body, Docs, Schema
from api.openapi.examples import page, shown
from api.openapi.parameters import IF_MATCH, list_parameters, page_schema, path_parameters, write_parameters
from api.openapi.schemas import (
    COUNT,
    IDENTIFIER,
    NUMBER,
    TEXT,
    TIME,
    listed,
    nullable,
    shape,
    told,
    without_default,
)
from api.openapi.shapes import CONDITION
from api.places import path_of, scope_of
from state.filters import UNICODE, counters, listing
from state.kind import Kind
from state.spec import AdminOnly, Completed, Copied, Immutable

TAG = 'The entity tag, `"GENERATION-HASH"`: it changes with whatever is shown, its first part with what is wanted.'
_MARKS = (
    (Immutable, "Cannot be changed after creation."),
    (Copied, "Unless given, it is the package's at creation."),
    (Completed, "Unless given, it is derived at creation."),
    (AdminOnly, "Nobody sets it on themselves."),
)
_PASSWORD: Schema = {"type": "string", "writeOnly": True, "description": "It never appears in any answer."}


_MADE: Mapping[type, Schema] = {
    type_: told(look, "Of what was made for it.")
    for type_, look in ((str, TEXT), (datetime, TIME), (list, listed(TEXT)))
}


def object_docs(kind: Kind, action: str) -> Docs:
    """The parameters, body and answers of one door (list, create, get, put, patch, delete)."""
    look, sent, base, tag = object_shape(kind), _sent(kind), path_of(kind), scope_of(kind)
    one, within = path_parameters(f"{base}/{{id}}"), path_parameters(base)
    example = shown(look, sent)
    if action == "list":
        answer = Answer(
            200, "One page of them.", page_schema(kind.list_key, look), page(kind.list_key, look, sent)
        )
        return Docs(tag, (answer,), (*within, *list_parameters(listing(kind))))
    if action == "get":
        return Docs(tag, (Answer(200, "The object.", look, example, headers={"ETag": TAG}),), one)
    if action == "create":
        headers = {"ETag": TAG, "Location": "Where the new object is."}
        answer = Answer(
            201, "The new object; what it means on its host follows.", look, example, headers=headers
        )
        return Docs(tag, (answer,), (*within, *write_parameters(creating=True)), _creating(kind))
    parameters = (*one, *write_parameters(), IF_MATCH)
    if action == "delete":
        return Docs(tag, (Answer(204, "It is gone, and its name is free again."),), parameters)
    answer = Answer(200, "The object as it is now.", look, example, headers={"ETag": TAG})
    return Docs(tag, (answer,), parameters, _changing(kind, merge=action == "patch"))


def _sent(kind: Kind) -> dict[str, Any]:
    """What one sends to make the object of the example, with what it then is by default."""
    sent = kind.examples.get("create", {})
    known = kind.schema.model_json_schema()["properties"]
    defaults = {name: each["default"] for name, each in known.items() if "default" in each}
    return {**defaults, **sent} if sent else {}


def object_shape(kind: Kind) -> Schema:
    """An object of the kind as answers show it."""
    schema = kind.schema.model_json_schema(mode="serialization")
    counts = {name: told(COUNT, "How many there are.") for name in counters(kind)}
    properties: dict[str, Schema] = {
        "id": IDENTIFIER,
        "user_id": nullable(told(IDENTIFIER, "Whose it is; null for what belongs to nobody.")),
        **({kind.part_of.field: told(IDENTIFIER, "What it is a part of.")} if kind.part_of else {}),
        kind.name_field: TEXT,
        **_described(kind, {name: without_default(each) for name, each in schema["properties"].items()}),
        **(
            {UNICODE: told(TEXT, f"Its `{kind.host_field}` with U-labels (RFC 5890).")}
            if kind.host_field
            else {}
        ),
        **{name: told(COUNT, "Measured.") for name in kind.measured},
        **counts,
        **{n: _MADE[t] if t is list else nullable(_MADE[t]) for n, t in kind.remembered.items()},
        "host": nullable(told(TEXT, "The host that it is on.")),
        "generation": told(NUMBER, "Grows with each change of what is wanted."),
        "observed_generation": told(COUNT, "The last one of which it is known how true it is."),
        "conditions": listed(CONDITION),
        "created_at": TIME,
        "updated_at": TIME,
    }
    return shape(kind.name, properties, schema.get("description", ""))


def spec_schema(kind: Kind) -> dict[str, Any]:
    """A spec as one may write it: what is completed or copied may be left out, or be null."""
    schema, completed = _accepted(kind), kind.marked(Completed) | kind.marked(Copied)
    own = {n: nullable(each) if n in completed else each for n, each in schema["properties"].items()}
    required = sorted({*schema.get("required", ())} - kind.marked(Completed))
    return _closed(f"{kind.name}Spec", own) | ({"required": required} if required else {})


def change_schema(kind: Kind, *, merge: bool) -> dict[str, Any]:
    """What of a spec PUT (the fields named) and PATCH (a merge patch, where null means the default) accept."""
    schema, fixed = _accepted(kind), kind.marked(Immutable)
    needed = set(schema.get("required", ())) - kind.marked(Completed)
    voidable = kind.marked(Completed) | kind.marked(Copied)
    if merge:
        voidable = voidable | (set(schema["properties"]) - needed)
    properties = {
        name: nullable(without_default(each)) if name in voidable else without_default(each)
        for name, each in schema["properties"].items()
        if name not in fixed
    }
    return _closed(f"{kind.name}Spec{'Patch' if merge else 'Change'}", properties)


def _creating(kind: Kind) -> Body:
    spec = spec_schema(kind)
    name = {} if kind.part_of else {kind.name_field: kind.naming}
    properties = {**name, **spec["properties"], **_placing(kind)}
    required = {*name, *spec.get("required", ())}
    if kind.handing:
        properties |= {name: nullable(dict(each)) for name, each in kind.handing.fields.items()}
    if kind.password:
        properties["password"] = {**_PASSWORD, "minLength": 8, "maxLength": 1024}
        required.add("password")
    needed = {"required": sorted(required)} if required else {}
    return Body(_closed(f"{kind.name}Create", properties) | needed, _examples(kind, "create"))


def _placing(kind: Kind) -> dict[str, Schema]:
    """Fields that say whose a new object is and where."""
    if not kind.placed or kind.part_of:
        return {}
    whose = told(IDENTIFIER, "Whose it is, for administrators and resellers; else one's own.")
    host = told(TEXT, "The host to be on, for administrators; else the one with the fewest objects.")
    return {"user_id": nullable(whose), "host": nullable(host)}


def _changing(kind: Kind, *, merge: bool) -> Body:
    properties = change_schema(kind, merge=merge)["properties"]
    if kind.password:
        either = {"anyOf": [{"maxLength": 0}, {"minLength": 8, "maxLength": 1024}]}
        keeping = {**_PASSWORD, **either, "description": "Absent, null or empty it stays as it is."}
        properties = {**properties, "password": {**keeping, "nullable": True}}
    if kind.handing:
        properties = properties | {name: nullable(dict(each)) for name, each in kind.handing.fields.items()}
    title = f"{kind.name}{'Patch' if merge else 'Change'}"
    media = (MERGE_PATCH, JSON) if merge else (JSON,)
    return Body(_closed(title, properties), _examples(kind, "change"), media=media)


def _accepted(kind: Kind) -> dict[str, Any]:
    schema = kind.schema.model_json_schema()
    return {**schema, "properties": _described(kind, schema["properties"])}


def _described(kind: Kind, properties: Mapping[str, Schema]) -> dict[str, Schema]:
    """The properties, each with what its marks mean."""
    notes: dict[str, list[str]] = {name: [] for name in properties}
    for mark, note in _MARKS:
        for name in kind.marked(mark):
            notes[name].append(note)
    return {
        name: {**each, "description": " ".join(filter(None, (each.get("description"), *notes[name])))}
        for name, each in properties.items()
    }


def _closed(title: str, properties: Mapping[str, Schema]) -> dict[str, Any]:
    return {
        "title": title,
        "type": "object",
        "additionalProperties": False,
        "properties": dict(properties),
    }


def _examples(kind: Kind, action: str) -> dict[str, Any]:
    body = kind.examples.get(action)
    return {"example": body} if body else {}
