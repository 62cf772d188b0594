"""What a door says of itself for the OpenAPI document: its parameters, its body, and its answers; plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Schema = Mapping[str, Any]
JSON, MERGE_PATCH = "application/json", "application/merge-patch+json"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `place` is query, path or header. An array in a query is one text with commas."""

    name: str
    schema: Schema
    description: str
    place: str = "query"
    required: bool = False
    example: Any = None


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carries, as JSON; `examples` by name."""

    schema: Schema
    examples: Mapping[str, Any] = field(default_factory=dict)
    required: bool = True
    media: tuple[str, ...] = (JSON,)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; without a schema it has no content. `headers` are names and what they are."""

    status: int
    description: str
    schema: Schema | None = None
    example: Any = None
    media: tuple[str, ...] = (JSON,)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Docs:
    """What a door says of itself beside its summary; what every door shares is added where the document is made.

    `errors` are the statuses that it can answer beside those that follow from its rule, parameters and body;
    `operation_id` is derived from method and path unless it is given.
    """

    tag: str
    answers: tuple[Answer, ...]
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    description: str = ""
    errors: tuple[int, ...] = ()
    operation_id: str = ""
