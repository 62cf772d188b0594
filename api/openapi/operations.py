"""One door as an operation object of the OpenAPI document: what it says of itself, and what follows from what it is."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from api.access import Access, Rule
from api.door import Route
from api.openapi.describe import JSON, Answer, Body, Docs, Parameter
from api.openapi.dialect import Schema, schema_object
from api.openapi.parameters import IF_NONE_MATCH
from api.openapi.plan_shapes import PLAN
from api.openapi.refusals import ERROR, INVALID, REFUSALS, example

HEADERS: Mapping[str, dict[str, Any]] = {
    "X-Request-ID": {
        "description": "What this request goes by in logs and jobs.",
        "required": True,
        "schema": {"type": "string"},
    },
    "X-RateLimit-Limit": {
        "description": "How many requests of this class may be made in a minute.",
        "schema": {"type": "integer"},
    },
    "X-RateLimit-Remaining": {
        "description": "How many of them are left.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "X-RateLimit-Reset": {
        "description": "When there will be all of them again, in epoch seconds.",
        "schema": {"type": "integer"},
    },
    "Retry-After": {
        "description": "In how many seconds to try again (RFC 9110, section 10.2.3).",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {
        "description": "How to prove who asks (RFC 6750).",
        "required": True,
        "schema": {"type": "string"},
    },
}
ALWAYS = ("X-Request-ID", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


def operation(route: Route, path: str, named: dict[str, Schema]) -> dict[str, Any]:
    """The operation object; the schemas of objects go into `named`."""
    docs = route.docs
    found: dict[str, Any] = {
        "tags": [docs.tag],
        "summary": route.summary,
        "operationId": docs.operation_id or operation_id(route.method, path, docs),
        "description": _description(route),
        "parameters": [_parameter(each, named) for each in _parameters(route)],
        "responses": _responses(route, named),
        "security": _security(route.rule),
    }
    if docs.body:
        found["requestBody"] = _body(docs.body, named)
    return found


def _security(rule: Rule) -> list[dict[str, list[str]]]:
    if rule.access is Access.PUBLIC:
        return []
    return [{}, {"bearer": []}] if rule.nearby else [{"bearer": []}]


def operation_id(method: str, path: str, docs: Docs) -> str:
    """A name for a client's function: ``listUsers``, ``getUser``, ``postPlanApply``."""
    parts = [part for part in path.split("/") if part]
    base = parts[:2] == ["api", "v1"]
    parts = parts[2:] if base else parts
    created = method == "POST" and any(answer.status == 201 for answer in docs.answers)
    listed = any(each.name == "page" for each in docs.parameters)
    verb = {"GET": "list" if listed else "get", "POST": "create" if created else "post", "PUT": "update"}
    nouns = [
        _singular(part) if (created and not follows) or "{" in follows else part
        for part, follows in zip(parts, [*parts[1:], ""], strict=True)
        if "{" not in part
    ]
    words = [word for noun in nouns for word in re.split(r"\W+", noun)]
    return (
        verb.get(method, method.lower())
        + ("" if base else "Root")
        + "".join(w[:1].upper() + w[1:] for w in words)
    )


def statuses(route: Route) -> list[int]:
    """The refusals that a door can answer with."""
    docs, found = route.docs, {429, 500, 503, *route.docs.errors}
    places = {parameter.place for parameter in docs.parameters}
    names = {parameter.name for parameter in docs.parameters}
    if route.rule.access is not Access.PUBLIC:
        found |= {401, 403}
    if "path" in places:
        found.add(404)
    if docs.body:
        found |= {400, 413, 415, 422}
    if "query" in places or "Last-Event-ID" in names:
        found.add(422)
    if route.writes and route.rule.access is not Access.PUBLIC:
        found.add(409)
    return sorted(
        found | ({412} if "If-Match" in names else set()) | ({504} if "dry_run" in names else set())
    )


def refusal_object(status: int, named: dict[str, Schema]) -> dict[str, Any]:
    """The response object of a refusal."""
    refusal = REFUSALS[status]
    schema = INVALID if status == 422 else ERROR
    media = {"schema": schema_object(schema, named), "example": example(status)}
    return {
        "description": refusal.description,
        "headers": _headers((*ALWAYS, *refusal.headers), {}),
        "content": {JSON: media},
    }


def _has_tag(route: Route) -> bool:
    return route.method == "GET" and any("ETag" in answer.headers for answer in route.docs.answers)


def _parameters(route: Route) -> tuple[Parameter, ...]:
    return (*route.docs.parameters, IF_NONE_MATCH) if _has_tag(route) else route.docs.parameters


def _description(route: Route) -> str:
    scope = route.rule.scope
    who = {
        Access.PUBLIC: "For everybody.",
        Access.SIGNED_IN: "For every user, of what is their own.",
        Access.ADMIN: "For administrators.",
    }[route.rule.access]
    token = f"An API token needs the scope `{scope}`." if scope else "No API token may do this: log in."
    limit = f"Rate limit: {route.rate.value}."
    parts = (route.docs.description, who, "" if route.rule.access is Access.PUBLIC else token, limit)
    return " ".join(part for part in parts if part)


def _responses(route: Route, named: dict[str, Schema]) -> dict[str, Any]:
    answers = list(route.docs.answers)
    if any(each.name == "dry_run" for each in route.docs.parameters):
        answers = _with_plan(answers)
    if _has_tag(route):
        answers.append(Answer(304, "It is as who asks has it.", headers={"ETag": "The entity tag."}))
    found = {str(each.status): _answer(each, named) for each in answers}
    for status in statuses(route):
        found.setdefault(str(status), {"$ref": f"#/components/responses/{REFUSALS[status].name}"})
    return dict(sorted(found.items()))


def _with_plan(answers: Iterable[Answer]) -> list[Answer]:
    """The answers, with that to a dry run: 200 and the plan."""
    found = {each.status: each for each in answers}
    done = found.get(200)
    if done is None or done.schema is None:
        found[200] = Answer(200, "With `dry_run`: the plan; nothing was stored.", PLAN)
    else:
        both = {"anyOf": [done.schema, PLAN]}
        words = f"{done.description} With `dry_run`: the plan; nothing was stored."
        found[200] = Answer(200, words, both, done.example, done.media, done.headers)
    return list(found.values())


def _answer(each: Answer, named: dict[str, Schema]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "description": each.description,
        "headers": _headers((*ALWAYS, *(name for name in each.headers if name in HEADERS)), each.headers),
    }
    if each.schema is not None:
        media: dict[str, Any] = {"schema": schema_object(each.schema, named)}
        if each.example is not None:
            media["example"] = each.example
        found["content"] = dict.fromkeys(each.media, media)
    return found


def _headers(shared: Iterable[str], own: Mapping[str, str]) -> dict[str, Any]:
    known = {name: {"$ref": f"#/components/headers/{name}"} for name in shared}
    return known | {
        name: {"description": text, "schema": {"type": "string"}}
        for name, text in own.items()
        if name not in HEADERS
    }


def _body(body: Body, named: dict[str, Schema]) -> dict[str, Any]:
    media: dict[str, Any] = {"schema": schema_object(body.schema, named)}
    if body.examples:
        media["examples"] = {name: {"value": value} for name, value in body.examples.items()}
    return {"required": body.required, "content": dict.fromkeys(body.media, media)}


def _parameter(each: Parameter, named: dict[str, Schema]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": each.name,
        "in": each.place,
        "required": each.required,
        "description": each.description,
        "schema": schema_object(each.schema, named),
    }
    if each.schema.get("type") == "array" and each.place == "query":
        found |= {"style": "form", "explode": False}
    if each.example is not None:
        found["example"] = each.example
    return found


def _singular(noun: str) -> str:
    return f"{noun.removesuffix('ies')}y" if noun.endswith("ies") else noun.removesuffix("s")
