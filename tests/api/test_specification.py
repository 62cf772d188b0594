"""The API answers the examples of its specification as that shows."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest

from api.app import document
from state.access.secrets import keep_verifier
from state.certificates.chains import kept_chain, read_chain
from state.jobs import add_job, log
from state.keeping import keep
from state.kinds import KINDS
from state.store import create
from tests.api.conftest import World, known_verifier
from tests.api.specification import EXAMPLES, LATER, Example
from tests.state.vouching import vouch

EVERY = [
    pytest.param(resource, each, id=each.request)
    for resource, several in EXAMPLES.items()
    for each in several
]
BODIES = [
    pytest.param(each, id=each.request) for several in EXAMPLES.values() for each in several if each.body
]
PUBLIC = {"health", "docs", "auth"}
SECRETS = {"password", "secret", "access_key", "secret_key", "repository_password"}
FORMS = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|.*-uuid", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
)
"""What a shown text looks like, and what one in an answer has to look like then."""


def _password(world: World) -> None:
    with world.database.writing() as connection:
        keep_verifier(connection, world.uids["admin"], known_verifier("password"))


def _site(world: World) -> None:
    addresses = {"ip_address": "192.168.1.100", "ipv6_address": "2001:db8::1"}
    aliases = {"aliases": ["www.example.com"], "backend_template": "PHP-8.3"}
    world.site("example.com", "john", **addresses, **aliases)


def _certified(world: World) -> None:
    names = ["example.com", "www.example.com"]
    values = {"san_domains": names, "acme_provider": "letsencrypt", "acme_challenge_type": "dns01"}
    chain = read_chain(vouch(*names, trust="Let's Encrypt").certificate)
    with world.database.writing() as connection:
        made = create(
            connection, KINDS["Certificate"], "example.com", "john", values, actor="setup", target="web1"
        )
        keep(connection, made.uid, kept_chain(chain))


def _zone(world: World) -> dict[str, str]:
    told = {"dns_provider": "cloudflare", "dnssec_enabled": True}
    zone = world.zone("example.com", "john", minimum_ttl=86400, admin_email="admin@example.com", **told)
    with world.database.writing() as connection:
        keep(connection, zone.uid, {"provider_zone_id": "cf-zone-id"})
    world.record(zone, "@", value="192.168.1.100")
    world.record(zone, "www", record_type="CNAME", value="example.com")
    return {"zone_id": zone.uid}


def _backup(world: World) -> None:
    parameters = {"backup_type": "full", "destination": "s3://backups/user123/"}
    with world.database.writing() as connection:
        job = add_job(connection, "backup", owner="john", target="web1", parameters=parameters, holder="w")
        log(connection, job, "Backup completed successfully...")


SCENES: Mapping[str, Callable[[World], dict[str, str] | None]] = {
    "auth": _password, "domains": _site, "ssl": _certified, "dns": _zone, "jobs": _backup,
}  # fmt: skip


@pytest.fixture
def ids(world_on_both: World) -> dict[str, str]:
    """The ids that the examples leave open."""
    return {"user_id": world_on_both.user("john", full_name="John Doe").uid}


def _send(world: World, example: Example, ids: Mapping[str, str], *, token: bool = True) -> httpx.Response:
    """Sends it as it is written, as an administrator."""
    headers = {"Authorization": f"Bearer {world.token('admin')}"} if token else {}
    body = example.body.replace("user-uuid", ids["user_id"])
    sent = {"content": body, "headers": {**headers, "Content-Type": "application/json"}} if body else {}
    return world.http.request(example.method, example.path.format(**ids), **({"headers": headers} | sent))


@pytest.mark.parametrize(("resource", "example"), EVERY)
def test_it_is_answered_as_it_is_shown(
    world_on_both: World, ids: dict[str, str], resource: str, example: Example
) -> None:
    ids |= SCENES.get(resource, lambda _: None)(world_on_both) or {}
    answer = _send(world_on_both, example, ids, token=resource not in PUBLIC)
    assert answer.status_code == example.status, answer.text
    for name in ("Limit", "Remaining", "Reset"):
        assert re.fullmatch(r"\d+", answer.headers[f"X-RateLimit-{name}"])
    if example.shown:
        assert list(_unlike(json.loads(example.shown), answer.json(), example)) == []
    if example.body and resource not in PUBLIC:
        assert list(_lost(json.loads(example.body), answer.json())) == []


@pytest.mark.parametrize("example", BODIES)
def test_the_openapi_document_shows_its_body(example: Example) -> None:
    path = re.sub(r"\{\w+\}$", "{id}", example.path)
    content = document()["paths"][path][example.method.lower()]["requestBody"]["content"]
    shown = [each["value"] for each in content["application/json"]["examples"].values()]
    assert json.loads(example.body) in shown


@pytest.mark.parametrize("example", LATER, ids=lambda example: example.request)
def test_of_a_job_whose_sort_comes_later_nothing_else_is_refused(
    world_on_both: World, ids: dict[str, str], example: Example
) -> None:
    answer = _send(world_on_both, example, ids)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["details"]["errors"]] == ["job_type"]


def _unlike(shown: Any, found: Any, example: Example, where: str = "") -> Iterator[str]:
    """In what the answer differs from what is shown: fields, their types and forms, and values where they matter."""
    if where.rpartition(".")[2] in example.null:
        shown = None
    if type(found) is not type(shown):
        yield f"{where} is {found!r} and not like {shown!r}"
    elif isinstance(shown, dict):
        yield from (f"{where}.{name} is missing" for name in shown.keys() - found.keys())
        for name in shown.keys() & found.keys():
            yield from _unlike(shown[name], found[name], example, f"{where}.{name}")
    elif isinstance(shown, list) and shown:
        if not found:
            yield f"{where} is empty"
        for item in found:
            yield from _unlike(shown[0], item, example, where)
    elif found != shown and (example.same or not _is_of_the_form(shown, found)):
        yield f"{where} is {found!r} and not like {shown!r}"


def _is_of_the_form(shown: Any, found: Any) -> bool:
    """Whether a text that stands for a time or an id is one."""
    wanted = [good for form, good in FORMS if isinstance(shown, str) and re.fullmatch(form, shown)]
    return all(re.fullmatch(good, found) for good in wanted)


def _lost(sent: Any, found: Any, where: str = "") -> Iterator[str]:
    """What was sent and is not in the answer; what is secret and is."""
    for name, value in sent.items():
        if name in SECRETS:
            if name in found:
                yield f"{where}.{name} is told"
        elif isinstance(value, dict):
            yield from _lost(value, found.get(name, {}), f"{where}.{name}")
        elif found.get(name) != value:
            yield f"{where}.{name} is {found.get(name)!r} and not {value!r}"
