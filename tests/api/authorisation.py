"""Who may do what, in one table: every route, each role, and whose the object is.

The answers' statuses stand in the order own, managed, foreign, missing; ``-`` where a role has none of those. A
route without an object has one status a role. An administrator manages everybody, so none is foreign to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RELATIONS = ("own", "managed", "foreign", "missing")
ROLES = ("admin", "reseller", "user")


@dataclass(frozen=True, slots=True)
class Row:
    """One route: `of` is the sort of object in its path or body, `body` what is sent, `owned` whether the body
    names the owner instead of the path naming an object."""

    route: str
    admin: str
    reseller: str
    user: str
    of: str = ""
    body: Mapping[str, Any] | None = None
    owned: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    query: str = ""

    def expected(self, role: str) -> dict[str, int]:
        """The statuses by relation; of a route without an object, the one status under an empty name."""
        told = str(getattr(self, role)).split()
        if len(told) == 1:
            return {"": int(told[0])}
        pairs = zip(RELATIONS, told, strict=True)
        return {relation: int(status) for relation, status in pairs if status != "-"}


PASSWORD = "correct horse battery"
_CHANGE = {"current_password": PASSWORD, "new_password": "another one"}
_PERSON = {"username": "carl", "email": "carl@example.com", "password": "long enough"}
_HOOK = {"url": "https://203.0.114.1/hook", "events": ["job.failed"]}
_RECORDS, _RECORD = "/dns/{zone_id}/records", {"name": "new", "record_type": "A", "value": "192.0.2.1"}
_KNOWN = "POST /users/{id}/known-addresses"
_ZONE = {"domain": "n.example", "zone_file": "@ SOA ns1.example.net. a.example.net. 1 3600 1800 1209600 60"}
_DELIVERY = "/webhooks/{webhook_id}/deliveries/{id}"

_SPEC, _BACK = {"spec": {"ssl_force": True}}, {"generation": 1}

TABLE = (
    Row("GET /health", "200", "200", "200"),
    Row("GET /health/ready", "503", "503", "503"),
    Row("GET /openapi.json", "200", "200", "200"),
    Row("POST /auth/login", "401", "401", "401", body={"username": "nobody", "password": "wrong one"}),
    Row("GET /auth/me", "200", "200", "200"),
    Row("POST /auth/logout", "204", "204", "204"),
    Row("POST /auth/refresh", "200", "200", "200"),
    Row("POST /auth/password", "200", "200", "200", body=_CHANGE),
    Row("POST /auth/totp/setup", "200", "200", "200", body={"password": PASSWORD}),
    Row("POST /auth/totp/verify", "404", "404", "404", body={"code": "123456"}),
    Row("POST /auth/totp/disable", "404", "404", "404", body={"password": PASSWORD, "code": "123456"}),
    # What all share is written by administrators.
    Row("GET /packages", "200", "200", "200"),
    Row("POST /packages", "201", "403", "403", body={"name": "gold"}),
    Row("GET /packages/{id}", "- - 200 404", "- - 200 404", "- - 200 404", "package"),
    Row("PUT /packages/{id}", "- - 200 404", "- - 403 404", "- - 403 404", "package", {}),
    Row("PATCH /packages/{id}", "- - 200 404", "- - 403 404", "- - 403 404", "package", {}),
    Row("DELETE /packages/{id}", "- - 204 404", "- - 403 404", "- - 403 404", "package"),
    # Users: resellers make and manage their own; nobody deletes themselves.
    Row("GET /users", "200", "200", "200"),
    Row("POST /users", "201", "201", "403", body=_PERSON),
    Row("GET /users/{id}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "user"),
    Row("PUT /users/{id}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "user", {"full_name": "A"}),
    Row("PATCH /users/{id}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "user", {"full_name": "A"}),
    Row("DELETE /users/{id}", "403 204 - 404", "403 204 404 404", "403 - 404 404", "user"),
    Row(_KNOWN, "200 200 - 404", "200 200 404 404", "200 - 404 404", "user", {"address": "198.51.100.7"}),
    # Sites.
    Row("GET /domains", "200", "200", "200"),
    Row("POST /domains", "201 201 - 422", "201 201 422 422", "201 - 422 422", "user", {"domain": "n.example"}, True),
    Row("GET /domains/{id}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "domain"),
    Row("PUT /domains/{id}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "domain", {"aliases": []}),
    Row("PATCH /domains/{id}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "domain", {"aliases": []}),
    Row("DELETE /domains/{id}", "204 204 - 404", "204 204 404 404", "204 - 404 404", "domain"),
    # Certificates.
    Row("GET /ssl", "200", "200", "200"),
    Row("POST /ssl", "201 201 - 422", "201 201 422 422", "201 - 422 422", "user", {"domain": "n.example"}, True),
    Row("GET /ssl/{id}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "ssl.certificate"),
    Row("PUT /ssl/{id}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "ssl.certificate", {}),
    Row("PATCH /ssl/{id}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "ssl.certificate", {}),
    Row("POST /ssl/{id}/renew", "409 201 - 404", "201 201 404 404", "201 - 404 404", "ssl.certificate"),
    Row("DELETE /ssl/{id}", "204 204 - 404", "204 204 404 404", "204 - 404 404", "ssl.certificate"),
    # Zones, and the records in them: a record is looked for in a zone that one sees.
    Row("GET /dns", "200", "200", "200"),
    Row("POST /dns", "201 201 - 422", "201 201 422 422", "201 - 422 422", "user", {"domain": "n.example"}, True),
    Row("GET /dns/{id}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "dns.zone"),
    Row("PUT /dns/{id}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "dns.zone", {"minimum_ttl": 60}),
    Row("PATCH /dns/{id}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "dns.zone", {"minimum_ttl": 60}),
    Row("DELETE /dns/{id}", "204 204 - 404", "204 204 404 404", "204 - 404 404", "dns.zone"),
    Row("POST /dns/import", "201 201 - 422", "201 201 422 422", "201 - 422 422", "user", _ZONE, True),
    Row("GET /dns/{id}/export", "200 200 - 404", "200 200 404 404", "200 - 404 404", "dns.zone"),
    Row(f"GET {_RECORDS}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "dns.record"),
    Row(f"POST {_RECORDS}", "201 201 - 404", "201 201 404 404", "201 - 404 404", "dns.record", _RECORD),
    Row(f"GET {_RECORDS}/{{id}}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "dns.record"),
    Row(f"PUT {_RECORDS}/{{id}}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "dns.record", {"ttl": 60}),
    Row(f"PATCH {_RECORDS}/{{id}}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "dns.record", {"ttl": 60}),
    Row(f"DELETE {_RECORDS}/{{id}}", "204 204 - 404", "204 204 404 404", "204 - 404 404", "dns.record"),
    # Jobs, plans, documents.
    Row("GET /jobs", "200", "200", "200"),
    Row("GET /jobs/{id}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "job"),
    Row("POST /jobs", "422 201 - 422", "201 201 422 422", "201 - 422 422", "user", {"job_type": "reconcile"}, True),
    Row("PUT /jobs/{id}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "waiting job", {"priority": 7}),
    Row("PATCH /jobs/{id}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "waiting job", {"priority": 7}),
    Row("POST /jobs/{id}/retry", "201 201 - 404", "201 201 404 404", "201 - 404 404", "failed job"),
    Row("DELETE /jobs/{id}", "204 204 - 404", "204 204 404 404", "204 - 404 404", "job"),
    Row("GET /jobs/{id}/log", "200 200 - 404", "200 200 404 404", "200 - 404 404", "ended job"),
    Row("GET /plans", "200", "200", "200"),
    Row("POST /plans", "201", "201", "201", body={"documents": []}),
    Row("GET /plans/{id}", "200 200 - 404", "200 404 404 404", "200 - 404 404", "plan"),
    Row("DELETE /plans/{id}", "204 204 - 404", "204 404 404 404", "204 - 404 404", "plan"),
    Row("POST /plans/{id}/apply", "200 200 - 404", "200 404 404 404", "200 - 404 404", "plan"),
    Row("GET /documents", "200", "200", "200"),
    Row("GET /documents/{kind}/{name}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "document"),
    Row("POST /documents", "201", "403", "403", body={"kind": "Package", "metadata": {"name": "gold"}}),
    Row("PUT /documents/{kind}/{name}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "document", _SPEC),
    Row("PATCH /documents/{kind}/{name}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "document", _SPEC),
    Row("DELETE /documents/{kind}/{name}", "204 204 - 404", "204 204 404 404", "204 - 404 404", "document"),
    Row("POST /documents/{kind}/{name}/revert", "200 200 - 404", "200 200 404 404", "200 - 404 404", "document", _BACK),
    Row("GET /documents/{kind}/{name}/revisions", "200 200 - 404", "200 200 404 404", "200 - 404 404", "document"),
    # Webhooks: for oneself and whom one manages.
    # API tokens: one's own; administrators see and end those of others, and change none.
    Row("GET /tokens", "200", "200", "200"),
    Row("POST /tokens", "201", "201", "201", body={"name": "new", "scopes": ["domains:read"]}),
    Row("GET /tokens/{id}", "200 200 - 404", "200 404 404 404", "200 - 404 404", "token"),
    Row("PUT /tokens/{id}", "200 403 - 404", "200 404 404 404", "200 - 404 404", "token", {"name": "n"}),
    Row("PATCH /tokens/{id}", "200 403 - 404", "200 404 404 404", "200 - 404 404", "token", {"name": "n"}),
    Row("DELETE /tokens/{id}", "204 204 - 404", "204 404 404 404", "204 - 404 404", "token"),
    Row("GET /webhooks", "200", "200", "200"),
    Row("POST /webhooks", "201 201 - 422", "201 201 422 422", "201 - 422 422", "user", _HOOK, True),
    Row("GET /webhooks/{id}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "webhook"),
    Row("PUT /webhooks/{id}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "webhook", {"is_active": False}),
    Row("PATCH /webhooks/{id}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "webhook", {"is_active": False}),
    Row("DELETE /webhooks/{id}", "204 204 - 404", "204 204 404 404", "204 - 404 404", "webhook"),
    Row("POST /webhooks/{id}/ping", "201 201 - 404", "201 201 404 404", "201 - 404 404", "webhook"),
    Row("GET /webhooks/{webhook_id}/deliveries", "200 200 - 404", "200 200 404 404", "200 - 404 404", "delivery"),
    Row(f"GET {_DELIVERY}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "delivery"),
    Row(f"POST {_DELIVERY}/redeliver", "200 200 - 404", "200 200 404 404", "200 - 404 404", "delivery"),
    Row("GET /events", "200", "200", "200", query="?wait=0"),
    # Of the audit, others than administrators see what they did, or what those did whom they manage.
    Row("GET /audit", "200", "200", "200"),
    Row("GET /audit/{id}", "200 200 - 404", "200 200 404 404", "200 - 404 404", "audit entry"),
    # Hosts are the operator's.
    Row("GET /hosts", "200", "403", "403"),
    Row("GET /hosts/{id}", "- - 200 404", "- - 403 403", "- - 403 403", "host"),
)  # fmt: skip

POSTED = (
    Row("POST /documents", "201 201 - 422", "201 201 422 422", "201 - 422 422"),
    Row("POST /plans", "201 201 - 422", "201 201 422 422", "201 - 422 422"),
)
"""The doors that take a document, which names its owner by name."""

NO_TOKEN = ""
SCOPES: Mapping[str, str] = {
    "GET /auth/me": "users:read",
    "POST /plans/{id}/apply": "documents:write",
    **dict.fromkeys(
        (
            *(f"POST /auth/{name}" for name in ("logout", "refresh", "password")),
            *(f"POST /auth/totp/{name}" for name in ("setup", "verify", "disable")),
            *("GET /tokens", "POST /tokens"),
            *(f"{verb} /tokens/{{id}}" for verb in ("GET", "PUT", "PATCH", "DELETE")),
        ),
        NO_TOKEN,
    ),
}
"""What an API token must carry for a route; of all others it is the first word of the path with `read` for GET,
`write` for the rest. Nothing but a login comes through a door of `NO_TOKEN`."""
OPEN = ("GET /health", "GET /health/ready", "GET /openapi.json", "POST /auth/login")
"""What needs no proof at all."""


def scope_of(route: str) -> str:
    """The scope that an API token needs for this route."""
    method, _, path = route.partition(" ")
    collection = path.split("/")[1]
    return SCOPES.get(route, f"{collection}:{'read' if method == 'GET' else 'write'}")
