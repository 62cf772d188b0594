"""What a door says of itself for the OpenAPI document: its parameters, its body, and its answers; plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `place` is query, path or header."""

    name: str
    schema: Schema
    description: str
    place: str = "query"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """What a request carries, as JSON; `examples` by name."""

    schema: Schema
    examples: Mapping[str, Any] = field(default_factory=dict)
    required: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer; without a schema it has no content."""

    status: int
    description: str
    schema: Schema | None = None
    example: Any = None
    media: tuple[str, ...] = ("application/json",)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Docs:
    """What a door says of itself beside its summary; what every door shares is added where the document is made."""

    tag: str
    answers: tuple[Answer, ...]
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
