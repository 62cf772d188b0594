"""Schemas of pydantic in the dialect of OpenAPI 3.0, keyword by keyword."""

from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field

from api.openapi.dialect import schema_object


def _converted(schema: dict[str, Any]) -> dict[str, Any]:
    return schema_object(schema, {})


NULL = {"type": "null"}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"const": "a"}, {"enum": ["a"]}),
        ({"examples": ["a", "b"]}, {"example": "a"}),
        ({"type": "integer", "exclusiveMinimum": 1}, {"type": "integer", "minimum": 1, "exclusiveMinimum": True}),
        ({"exclusiveMaximum": 2}, {"maximum": 2, "exclusiveMaximum": True}),
        ({"minimum": 1, "exclusiveMinimum": True}, {"minimum": 1, "exclusiveMinimum": True}),
        ({"anyOf": [{"type": "string"}, NULL], "default": None}, {"type": "string", "default": None, "nullable": True}),
        ({"anyOf": [{"enum": ["a"]}, NULL]}, {"enum": ["a", None], "nullable": True}),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["string", "integer"]}, {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        (
            {"anyOf": [{"type": "string"}, {"type": "integer"}, NULL]},
            {"anyOf": [{"type": "string"}, {"type": "integer"}], "nullable": True},
        ),
        (
            {"type": "array", "prefixItems": [{"const": 1}, {"type": "string"}]},
            {"type": "array", "items": {"anyOf": [{"enum": [1]}, {"type": "string"}]}},
        ),
        ({"type": "string", "title": "Only noise"}, {"type": "string"}),
        ({"additionalProperties": {"const": 1}}, {"additionalProperties": {"enum": [1]}}),
        ({"not": {"const": 1}}, {"not": {"enum": [1]}}),
    ],
)  # fmt: skip
def test_a_keyword_is_told_in_the_older_dialect(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    assert _converted(schema) == expected
    assert _converted(expected) == expected


@pytest.mark.parametrize("keyword", ["if", "patternProperties", "unevaluatedProperties", "contains"])
def test_what_has_no_equal_is_refused(keyword: str) -> None:
    with pytest.raises(ValueError, match=keyword):
        _converted({keyword: {}})


class Leaf(BaseModel):
    kind: Literal["leaf"] = "leaf"
    size: int | None = Field(None, gt=0)


class Tree(BaseModel):
    first: Leaf | None = None
    rest: list[Leaf] = []


def test_models_become_components() -> None:
    named: dict[str, Any] = {}
    assert schema_object(Tree.model_json_schema(), named) == {"$ref": "#/components/schemas/Tree"}
    assert set(named) == {"Tree", "Leaf"}
    assert named["Leaf"]["properties"]["size"] == {
        "type": "integer",
        "minimum": 0,
        "exclusiveMinimum": True,
        "default": None,
        "nullable": True,
    }
    assert named["Tree"]["properties"]["rest"]["items"] == {"$ref": "#/components/schemas/Leaf"}


def test_a_component_that_may_be_null_is_written_out() -> None:
    named: dict[str, Any] = {}
    schema_object(Tree.model_json_schema(), named)
    first = named["Tree"]["properties"]["first"]
    assert first["nullable"] is True
    assert first["properties"] == named["Leaf"]["properties"]


def test_two_schemas_of_one_name_are_refused() -> None:
    named: dict[str, Any] = {}
    schema_object({"title": "A", "properties": {"x": {"type": "string"}}}, named)
    with pytest.raises(ValueError, match="'A'"):
        schema_object({"title": "A", "properties": {"y": {"type": "string"}}}, named)
