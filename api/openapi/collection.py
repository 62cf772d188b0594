"""What the doors of a collection say of themselves, written once for all collections."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from api.openapi.describe import JSON, MERGE_PATCH, Answer, Body, Docs, Parameter, Schema
from api.openapi.examples import page, shown
from api.openapi.parameters import IF_MATCH, list_parameters, page_schema, path_parameters, write_parameters
from api.openapi.schemas import IDENTIFIER, NUMBER, TEXT, nullable, without_default
from state.listing import Listing

_TAG = {"ETag": "The entity tag: it changes with whatever is shown."}


@dataclass(frozen=True, slots=True)
class Described:
    """What is said of a collection: where it is, its key and noun, how its objects look, what lists offer, and as an
    example what is sent to make one, and what that is then."""

    path: str
    key: str
    noun: str
    shape: Schema
    listing: Listing
    example: Mapping[str, Any] = field(default_factory=dict)
    made: Mapping[str, Any] = field(default_factory=dict)

    def list(self) -> Docs:
        answer = Answer(200, "One page of them.", page_schema(self.key, self.shape), self._page())
        return Docs(self.key, (answer,), (*path_parameters(self.path), *list_parameters(self.listing)))

    def get(self) -> Docs:
        return Docs(
            self.key,
            (Answer(200, f"The {self.noun}.", self.shape, self._shown(), headers=_TAG),),
            self._one(),
        )

    def create(self, accepted: type[BaseModel], once: Schema | None = None) -> Docs:
        """`once` is how an object looks to its maker, when that is shown more than others are."""
        headers = _TAG | {"Location": "Where the new object is."}
        look = once or self.shape
        answer = Answer(201, f"The new {self.noun}.", look, shown(look, self.made), headers=headers)
        body = Body(accepted.model_json_schema(), {"example": self.example} if self.example else {})
        parameters = (*path_parameters(self.path), *write_parameters(creating=True))
        return Docs(self.key, (answer,), parameters, body)

    def change(self, accepted: type[BaseModel], fixed: tuple[str, ...], *, merge: bool) -> Docs:
        """Of PUT, which changes the fields that it names, and of PATCH, whose null is the default."""
        schema = {k: v for k, v in accepted.model_json_schema().items() if k != "required"}
        needed = {name for name, each in accepted.model_fields.items() if each.is_required()}
        properties = {
            name: nullable(without_default(each)) if merge and name not in needed else without_default(each)
            for name, each in schema["properties"].items()
            if name not in fixed
        }
        title = f"{schema['title']}{'Patch' if merge else 'Change'}"
        example = {name: value for name, value in self.example.items() if name not in fixed}
        body = Body(
            {**schema, "properties": properties, "title": title},
            {"example": example} if example else {},
            media=(MERGE_PATCH, JSON) if merge else (JSON,),
        )
        answer = Answer(200, f"The {self.noun} as it is now.", self.shape, self._shown(), headers=_TAG)
        return Docs(self.key, (answer,), (*self._one(), *write_parameters(), IF_MATCH), body)

    def delete(self) -> Docs:
        parameters = (*self._one(), *write_parameters(), IF_MATCH)
        return Docs(self.key, (Answer(204, f"The {self.noun} is gone."),), parameters)

    def _shown(self) -> dict[str, Any] | None:
        return shown(self.shape, self.made)

    def _page(self) -> dict[str, Any] | None:
        return page(self.key, self.shape, self.made)

    def _one(self) -> tuple[Parameter, ...]:
        identifiers: Mapping[type, Schema] = {UUID: IDENTIFIER, int: NUMBER}
        identifier = identifiers.get(self.listing.fields[self.listing.tie].type, TEXT)
        return path_parameters(f"{self.path}/{{id}}", identifier)
