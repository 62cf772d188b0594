"""How posted documents look, as schemas: kind by kind, so that nobody needs to guess what a spec has."""

from typing import Any

from api.describe import Schema
from api.kind_docs import spec_schema
from api.posted_set import Metadata, PostedSet
from api.schemas import listed, one_of
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


def _posted(kind: Kind) -> Schema:
    spec = spec_schema(kind)
    known = Metadata.model_json_schema()
    metadata: dict[str, Any] = {
        **known,
        "title": f"{kind.name}Metadata",
        "properties": {**known["properties"], "name": kind.naming},
    }
    return {
        "title": f"{kind.name}Document",
        "type": "object",
        "additionalProperties": False,
        "required": ["kind", "metadata", *(["spec"] if "required" in spec else [])],
        "properties": {"kind": one_of(kind.name), "metadata": metadata, "spec": spec},
    }
