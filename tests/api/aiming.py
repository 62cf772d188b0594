"""Aims drawn requests at what is there: a schema says how a name looks, and not which ones exist.

What was drawn to be wrong is left as it is.
"""

import re
from collections.abc import Mapping
from itertools import count
from typing import Any

from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pyotp import TOTP
from schemathesis import Case
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase
from schemathesis.openapi import format as register_format

from api import bearer
from api.openapi.kinds import change_schema
from state.access.secrets import kept_verifier
from state.kind import Kind
from state.kinds import KINDS
from tests.api.authorisation import TABLE
from tests.api.conftest import BASE, PASSWORD, World
from tests.api.making import MAKERS, document

_numbers = count()
_labels = st.from_regex(r"[a-z][a-z0-9]{0,20}", fullmatch=True)
_OF = {row.route: row.of for row in TABLE}
_JOBS = {
    "reconcile": lambda world: {"parameters": {}, "user_id": world.uids["rich"]},
    "dns_sync": lambda world: {"parameters": {"zone": _zone(world)}, "user_id": None},
    "sweep": lambda _: {"parameters": {"host": "web1"}, "user_id": None},
}
_CHANGES = {
    method: [(kind, Draft202012Validator(change_schema(kind, merge=merge))) for kind in KINDS.values()]
    for method, merge in (("PUT", False), ("PATCH", True))
}
_VALUES = {
    "A": "192.0.2.1",
    "AAAA": "2001:db8::1",
    "SRV": "0 443 www.example.net.",
    "CAA": '0 issue "ca.example"',
    "TLSA": "3 1 1 " + "ab" * 32,
    "DS": "60485 13 2 " + "ab" * 32,
    "SSHFP": "4 2 " + "ab" * 32,
    "NAPTR": '100 10 "S" "SIP+D2U" "" sip.example.net.',
    "HTTPS": "1 . alpn=h2",
    "SVCB": "1 dot.example.net. port=853",
}
_UNSEEN = re.compile("[\U000e0000-\U000e0fff\U000f0000-\U0010ffff]")  # no pattern of ECMA-262 can say so
_PROVING = f"{BASE}/auth/"
_OWN = (_PROVING, f"{BASE}/tokens")


def _zone(world: World) -> str:
    return str(world.zone(f"synced{next(_numbers)}.example", "rich").name)


def register() -> None:
    """How a name below a public suffix is drawn: a schema cannot tell which suffixes are public."""
    register_format("idn-hostname", st.builds("{}.{}.example".format, _labels, _labels))


def aim(case: Case, world: World) -> dict[str, str]:
    """Puts what exists in the place of what only looks like it; the headers of who may ask for it.

    That is an administrator, except where one has to do with what is one's own: then it is somebody new. What
    links lead to is an administrator's.
    """
    somebody, linked = f"somebody{next(_numbers)}", case.meta.phase.name is TestPhase.STATEFUL
    own = case.path.startswith(_PROVING if linked else _OWN)
    if own or case.path_parameters:
        world.user(somebody, "rich", role="user", web_domains_limit=0)
    _aim_path(case, world, somebody)
    _aim_query(case)
    if "If-Match" in case.headers:
        case.headers["If-Match"] = "*"
    if isinstance(case.body, dict):
        case.body = _posted(case.body, world) if "metadata" in case.body else _aimed(case.body, world)
        if case.path == f"{BASE}/dns/import":
            case.body = _imported(case, case.body)
        if case.path.startswith(_PROVING):
            case.body = _proving(case, case.body, world, somebody)
    return {"Authorization": f"Bearer {token(world, somebody if own else 'admin')}"}


def token(world: World, name: str) -> str:
    """A token, as a login would give it."""
    with world.database.reading() as connection:
        _, since = kept_verifier(connection, world.uids[name])
    return bearer.issue(world.settings.var, world.uids[name], since, world.clock()).text


def _aim_path(case: Case, world: World, somebody: str) -> None:
    """The names of an object of somebody's, unless a link gave others."""
    route = f"{case.operation.method.upper()} {case.path.removeprefix(BASE)}"
    drawn = case.path_parameters.keys() - case._override.path_parameters.keys()
    if drawn and _OF.get(route) and not case.meta.is_negative_at(ParameterLocation.PATH):
        kind = _kind_of(case) if _OF[route] == "document" else None
        made = document(world, somebody, kind) if kind else MAKERS[_OF[route]](world, somebody)
        case.path_parameters = {**case.path_parameters, **{name: made[name] for name in drawn}}


def _kind_of(case: Case) -> Kind | None:
    """A kind whose documents can be changed as the body says; none when it says nothing of the sort."""
    spec = case.body.get("spec") if isinstance(case.body, dict) else None
    changes = _CHANGES.get(case.operation.method.upper(), ())
    return next((kind for kind, schema in changes if schema.is_valid(spec)), None)


def _aim_query(case: Case) -> None:
    """Nothing is waited for: nobody makes anything true. A cursor can only be had from the page before.

    In a chain nothing is rehearsed, which has no consequences. What is empty is not sent at all.
    """
    case.query = {name: value for name, value in case.query.items() if value not in (None, [], {})}
    longest = {each.name: each.definition["schema"].get("maximum", 0) for each in case.operation.query}
    unsaid = "0" if case.path == f"{BASE}/events" else None
    if 0 <= _number(case.query.get("wait", unsaid)) <= longest.get("wait", -1):
        case.query["wait"] = "0"
    if isinstance(case.query.get("cursor"), str):
        del case.query["cursor"]
    if case.meta.phase.name is TestPhase.STATEFUL and case.query.get("dry_run") in (True, "true"):
        case.query["dry_run"] = "false"


def _aimed(body: Mapping[str, Any], world: World) -> dict[str, Any]:
    """The body with owners, hosts, addresses and times that are good.

    What depends on whose it is, is left to the API; no schema says what a certificate is. An empty set prunes nothing.
    What is new has one revision to go back to.
    """
    good = {
        "user_id": world.uids["rich"],
        "owner": "rich",
        "host": "web1",
        "url": "https://203.0.114.1/hook",
        "expires_at": "2099-12-31T00:00:00Z",
        "scheduled_for": "2026-01-01T00:00:00Z",
    }
    found = {n: good[n] if n in good and isinstance(v, str) else v for n, v in body.items()}
    _leave_out(found)
    if isinstance(found.get("full_name"), str) and len(found["full_name"]) <= 200:
        found["full_name"] = _UNSEEN.sub("", found["full_name"])
    if found.get("is_wildcard") is True and found.get("acme_challenge_type") in (None, "http01"):
        found["acme_challenge_type"] = "dns01"
    if isinstance(found.get("parameters", {}), dict) and isinstance(found.get("user_id"), str | None):
        found |= _JOBS.get(str(found.get("job_type")), lambda _: {})(world)
    if type(found.get("generation")) is int and found["generation"] > 1:
        found["generation"] = 1
    if isinstance(found.get("spec"), dict):
        found["spec"] = _aimed(found["spec"], world)
    found = _of_zones(found)
    if _are_texts(found.get("addresses")):
        found["addresses"] = ["192.0.2.0/24"]
    if found.get("prune") is True and not found.get("documents"):
        found["prune"] = False
    if isinstance(found.get("documents"), list):
        found["documents"] = [_posted(each, world) for each in found["documents"]]
    return found


def _leave_out(found: dict[str, Any]) -> None:
    """What only the API can know: where a site's files are, and its host, depend on whose it is."""
    for name in ("document_root", "certificate", "private_key"):
        if isinstance(found.get(name), str):
            del found[name]
    if isinstance(found.get("host"), str) and not isinstance(found.get("owner", found.get("user_id")), str):
        found["host"] = None


def _of_zones(found: dict[str, Any]) -> dict[str, Any]:
    """What names a zone's server, and what a record says, as there can be."""
    if isinstance(found.get("primary_ns"), str) and len(found["primary_ns"]) <= 1024:
        found["primary_ns"] = "ns1.example.net"
    return _record(found) if found.keys() & {"record_type", "value", "ttl"} else found


def _imported(case: Case, body: dict[str, Any]) -> dict[str, Any]:
    """The body with a zone file that is one, and never with a server that anybody would be asked at."""
    if not case.meta.generation.mode.is_positive:
        return {n: "127.0.0.1" if n == "server" and isinstance(v, str) else v for n, v in body.items()}
    found = {n: v for n, v in body.items() if n not in {"server", "port", "tsig"}}
    if isinstance(found.get("zone"), dict):
        found["zone"] = _of_zones(found["zone"])
    return {**found, "zone_file": "@ NS ns1.example.net.\n"}


def _record(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a record of its type may say, at a name that has no other; a type changes only together with a value.

    What no record may say is left as it is.
    """
    right = next(schema for kind, schema in _CHANGES["PATCH"] if kind.name == "DnsRecord")
    if not right.is_valid(dict(body)):
        return dict(body)
    kind = body.get("record_type", "A") if "value" in body else "A"
    found = {n: v for n, v in body.items() if n != "record_type" or "value" in body}
    priority = 10 if kind in ("MX", "SRV") else 0
    value = _VALUES.get(kind, "somewhere.example.net.") if isinstance(kind, str) else ""
    good = {"name": f"drawn{next(_numbers)}", "value": value, "priority": priority}
    if "value" in found:
        found.setdefault("name", good["name"])
    found |= {n: v for n, v in good.items() if n in found and type(found[n]) is type(v)}
    if kind == "DS":  # which is served only where its zone is delegated
        found["is_active"] = False
    return found if found.get("priority") is not None or not priority else {**found, "priority": priority}


def _posted(posted: Any, world: World) -> Any:
    """A posted document of a name that nobody has."""
    if not isinstance(posted, dict) or str(posted.get("kind")) not in KINDS:
        return posted
    found = _aimed(posted, world)
    if isinstance(found.get("metadata"), dict):
        found["metadata"] = _aimed(found["metadata"], world)
        if isinstance(found["metadata"].get("name"), str):
            found["metadata"]["name"] = _free_name(KINDS[posted["kind"]], world)
        if KINDS[posted["kind"]].part_of and found["metadata"].get("owner") is None:
            found["metadata"]["owner"] = "rich"
    return found


def _free_name(kind: Kind, world: World) -> str:
    """A name that nobody has; that of a part is in a whole that is there."""
    name = f"posted{next(_numbers)}"
    if kind.part_of:
        return f"{name}.{world.zone(f'{name}.example', 'rich').name}"
    return f"{name}.example" if kind.name_field == "domain" else name


def _proving(case: Case, body: dict[str, Any], world: World, who: str) -> dict[str, Any]:
    """The body with the password, and with a code where one is wanted."""
    good = {"username": who, "password": PASSWORD, "current_password": PASSWORD}
    if "code" in body and case.meta.generation.mode.is_positive:
        good["code"] = _code(case, world, who)
    return {name: good.get(name, value) if isinstance(value, str) else value for name, value in body.items()}


def _code(case: Case, world: World, who: str) -> str:
    """A code of a second factor that was set up; one of those for emergencies where it is enabled already."""
    headers = {"Authorization": f"Bearer {token(world, who)}"}
    base = f"{BASE}/auth/totp"
    made = world.http.post(f"{base}/setup", json={"password": PASSWORD}, headers=headers)
    code = TOTP(made.json()["secret"]).at(world.clock())
    if case.path.endswith("/verify"):
        return code
    enabled = world.http.post(f"{base}/verify", json={"code": code}, headers=headers)
    return str(enabled.json()["recovery_codes"][0])


def _number(value: object) -> float:
    """The number that a query gives; less than none when it is no number."""
    try:
        return -1 if isinstance(value, bool) else float(str(value))
    except ValueError:
        return -1


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)
