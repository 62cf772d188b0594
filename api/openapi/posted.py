"""How posted documents look, as schemas: kind by kind, so that nobody needs to guess what a spec has."""

from collections.abc import Mapping
from typing import Any

from api.openapi.describe import Schema
from api.openapi.kinds import change_schema, spec_schema
from api.openapi.schemas import listed, nullable, one_of
from api.posted_set import Metadata, PostedSet
from state.kind import Kind
from state.kinds import KINDS


def posted_set() -> Schema:
    """The schema of a posted set of documents."""
    schema = {k: v for k, v in PostedSet.model_json_schema().items() if k != "$defs"}
    several = {
        **schema["properties"]["documents"],
        **listed(posted_one()),
    }
    return {**schema, "properties": {**schema["properties"], "documents": several}}


def posted_one() -> Schema:
    """The schema of one posted document."""
    return {"oneOf": [_posted(each) for each in KINDS.values()]}


def spec_change(*, merge: bool) -> Schema:
    """The schema of a change of a document's spec: that of any kind, since OpenAPI cannot tell that the path says
    which."""
    return {
        "title": "SpecPatch" if merge else "SpecChange",
        "description": "What of the spec shall be another; the kind in the path says what a spec has.",
        "type": "object",
        "additionalProperties": False,
        "required": ["spec"],
        "properties": {"spec": {"anyOf": [change_schema(each, merge=merge) for each in KINDS.values()]}},
    }


def posted_examples() -> dict[str, Any]:
    """For each kind a document, made of the example of its object."""
    made = {}
    for kind in KINDS.values():
        if sent := kind.examples.get("create"):
            owner = {"owner": "anna"} if kind.placed and not kind.owns else {}
            metadata = {"name": _name(kind, sent), **owner}
            made[kind.name] = {"kind": kind.name, "metadata": metadata, "spec": _spec(kind, sent)}
    return made


def _name(kind: Kind, sent: Mapping[str, Any]) -> str:
    """The name of the example; that of a part is in the example of its whole."""
    if kind.part_of is None:
        return str(sent[kind.name_field])
    whole = KINDS[kind.part_of.kind]
    return next(kind.part_of.names(sent, _name(whole, whole.examples["create"])))


def change_examples() -> dict[str, Any]:
    """For each kind a change of its spec."""
    changes = {kind.name: _spec(kind, kind.examples.get("change", {})) for kind in KINDS.values()}
    return {name: {"spec": spec} for name, spec in changes.items() if spec}


def _spec(kind: Kind, sent: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sent.items() if name in kind.schema.model_fields}


def _posted(kind: Kind) -> Schema:
    spec = spec_schema(kind)
    known = Metadata.model_json_schema()
    nowhere = nullable({"type": "string", "maxLength": 0, "description": "It is on no host."})
    host = {} if kind.placed else {"host": nowhere}
    metadata: dict[str, Any] = {
        **known,
        "title": f"{kind.name}Metadata",
        "properties": {**known["properties"], **host, "name": kind.naming},
    }
    return {
        "title": f"{kind.name}Document",
        "type": "object",
        "additionalProperties": False,
        "required": ["kind", "metadata", *(["spec"] if "required" in spec else [])],
        "properties": {"kind": one_of(kind.name), "metadata": metadata, "spec": spec},
    }
