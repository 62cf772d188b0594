"""The OpenAPI 3.0.3 document: every door, made from the same values that serve it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from api.door import Route
from api.openapi.dialect import Schema
from api.openapi.operations import HEADERS, operation, refusal_object, statuses
from api.openapi.refusals import REFUSALS

Served = tuple[str, Route]
TAGS: Mapping[str, str] = {
    "health": "Whether the service is alive and ready.",
    "auth": "Logging in and out, and who one is.",
    "users": "Tenants, resellers and administrators.",
    "packages": "Named plans of limits, quotas, templates and shell, which users and sites take their values from.",
    "domains": "Web sites.",
    "ssl": "Certificates: had from an authority and renewed, or one's own.",
    "dns": "Zones of the DNS, and their records.",
    "jobs": "What was run or will be, how it went, and its log.",
    "plans": "Dry runs: what would be done, and doing it.",
    "documents": "Everything by kind and name, as one writes it in files, and what it was before.",
    "hosts": "The managed hosts.",
    "tokens": "API tokens: named, with scopes, an expiry and addresses that they are good from.",
    "webhooks": "Addresses that are told of events.",
    "deliveries": "What was sent to a web hook, and how that went.",
    "events": "What happens to one's objects, as it happens.",
    "audit": "Who did what: append-only.",
    "metrics": "For Prometheus.",
    "docs": "This document, and pages to read it on.",
}
DESCRIPTION = """\
The control plane of a hosting company. What is written here is *wanted*; a reconcile loop makes it true on hosts, and
`conditions`, `generation` and `observed_generation` of an object say how far that is.

**Who asks.** Send `Authorization: Bearer …` with a token of `POST /api/v1/auth/login`. An administrator sees
everything, a reseller the users that it made and what is theirs, a user its own. What is somebody else's is answered as
if it was not there (404).

**Lists** have their objects under a key of their own, and `total`, `page`, `limit` and `pages`. Every scalar field is a
filter: several values with commas; a value that has a comma of its own cannot be asked for. A nullable field is
filtered for null by an empty value. `<field>_after` (inclusive) and `<field>_before` (exclusive) bound times, with or
without the `_at` of the name. A parameter that is given twice counts once: values of a filter are joined, of others the
last one is taken. The order is total: ties are broken by id. A page behind the last one is empty.

**Bodies** are JSON (RFC 8259) in UTF-8 of at most 1 MiB, without NUL and unpaired surrogates. Unknown fields and
unknown query parameters of lists and writes are refused (422), all faults at once. PUT changes the fields that it names
and keeps the others; PATCH is a merge patch (RFC 7396), and its null brings a field back to its default.

**Writes** answer as soon as the wish is stored. `wait` holds the answer until it is true, or known why not; a wait that
is over answers with what there is. `dry_run=true` stores nothing and answers 200 with the plan. `If-Match` protects
from overwriting what somebody else changed, and `Idempotency-Key` from doing a POST twice.

**Errors** are `{"error", "status", "details"}`; `details.code` is for machines. A path that is not there is 404, a
method that is not there 405 with `Allow`. HEAD is answered like GET, without the body; OPTIONS is not offered.

**Times** are RFC 3339 in UTC, ids are UUIDs (hosts go by their names), quotas are MiB, and a limit of 0 is none.
"""
_BEARER = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token of `POST /api/v1/auth/login`, or an API token.",
}
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def openapi_document(served: Sequence[Served], version: str) -> dict[str, Any]:
    """The document of these doors, each with its whole path. Raises ValueError when they cannot be told apart."""
    named: dict[str, Schema] = {}
    paths: dict[str, dict[str, Any]] = {}
    for path, route in sorted(served, key=lambda each: (each[0], _METHODS.index(each[1].method))):
        paths.setdefault(path, {})[route.method.lower()] = operation(route, path, named)
    _refuse_twins(paths)
    _link(paths)
    refusals = {status for _, route in served for status in statuses(route)}
    return {
        "openapi": "3.0.3",
        "info": {"title": "GhostCP", "version": version, "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "tags": _tags(route.docs.tag for _, route in served),
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": _BEARER},
            "headers": dict(HEADERS),
            "responses": {REFUSALS[each].name: refusal_object(each, named) for each in sorted(refusals)},
            "schemas": dict(sorted(named.items())),
        },
    }


def _tags(used: Iterable[str]) -> list[dict[str, str]]:
    """The tags in the order of the table, then those of kinds that are not in it."""
    named = set(used)
    order = [*TAGS, *sorted(named)]
    return [
        {"name": name, "description": TAGS.get(name, f"The {name}.")}
        for name in dict.fromkeys(order)
        if name in named
    ]


def _refuse_twins(paths: Mapping[str, Mapping[str, Any]]) -> None:
    seen = set[str]()
    for path, methods in paths.items():
        for method, each in methods.items():
            if each["operationId"] in seen:
                raise ValueError(
                    f"{method.upper()} {path} needs another operation_id than {each['operationId']!r}"
                )
            seen.add(each["operationId"])


def _link(paths: Mapping[str, Mapping[str, Any]]) -> None:
    """Says of each object that is created which doors lead to it."""
    for path, methods in paths.items():
        created = methods.get("post", {}).get("responses", {}).get("201")
        one = paths.get(f"{path}/{{id}}")
        if created is None or one is None:
            continue
        created["links"] = {
            each["operationId"]: {
                "operationId": each["operationId"],
                "parameters": {"id": "$response.body#/id"},
            }
            for each in one.values()
        }
