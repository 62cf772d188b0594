"""What a dry run says of documents, and what the deed leaves of them in the database."""

from collections.abc import Mapping
from typing import Any

import httpx
from sqlalchemy import select

from state.kinds import KINDS
from state.tables import documents
from tests.api.conftest import World
from tests.state.vouching import vouch

MERGE = {"Content-Type": "application/merge-patch+json"}
NAME, ALIAS = "take.example", "www.take.example"
FILE = f"$ORIGIN {NAME}.\n$TTL 3600\n@ IN NS ns1.example.net.\n@ IN A 192.0.2.1\n"
SECURE = {"ssl_enabled": True, "letsencrypt_enabled": True}
OTHERS: list[dict[str, Any]] = [
    {"kind": "User", "metadata": {"name": name}, "spec": {"email": f"{name}@example.com", "role": role}}
    for name, role in (("resi", "reseller"), ("anna", "user"))
]
Told = tuple[str, str, str, str]
Deed = tuple[str, str, dict[str, Any] | None]


def certificate(world: World, who: str, name: str) -> str:
    """One's own, that no site has shown yet; its id."""
    mine = vouch(name)
    body = {"domain": name, "certificate": mine.chain, "private_key": mine.key}
    answer = world.call(who, "POST", "/ssl", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def stored(world: World) -> dict[str, Any]:
    """The living documents, by uid."""
    with world.database.reading() as connection:
        query = select(documents).where(documents.c.deleted_at.is_(None), documents.c.kind.in_(list(KINDS)))
        return {row.uid: row for row in connection.execute(query)}


def became(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[Told, Any]:
    """What became of documents, each with its spec; of what is gone there is none."""

    def told(action: str, row: Any) -> Told:
        return action, row.kind, row.name, row.owner

    made = {told("create", after[uid]): after[uid].spec for uid in after.keys() - before.keys()}
    gone: dict[Told, Any] = {told("delete", before[uid]): {} for uid in before.keys() - after.keys()}
    both = before.keys() & after.keys()
    changed = [uid for uid in both if before[uid].generation != after[uid].generation]
    return (
        made
        | gone
        | {told("update", after[uid]): _news(before[uid].spec, after[uid].spec) for uid in changed}
    )


def _news(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in new.items() if old[name] != value}


def listed(report: Any) -> dict[Told, Any]:
    """What a dry run says of documents, each once."""
    told = {
        (d["action"], d["kind"], d["name"], d["owner"]): {f["field"]: f["after"] for f in d["fields"]}
        for d in report["documents"]
    }
    assert len(told) == len(report["documents"])
    return told


def applied(world: World, who: str, body: dict[str, Any]) -> tuple[Any, httpx.Response]:
    """The report of a plan, and what came of applying it."""
    made = world.call(who, "POST", "/plans?wait=20", json=body)
    assert made.status_code == 201, made.text
    return made.json()["report"], world.call(who, "POST", f"/plans/{made.json()['id']}/apply")


def may_know(who: str, done: Mapping[Told, Any]) -> dict[Told, Any]:
    return {told: spec for told, spec in done.items() if who == "admin" or told[3] == who or told[2] == who}


def berts(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    """A document of bert's, as one posts it."""
    return {"kind": kind, "metadata": {"name": name, "owner": "bert"}, "spec": spec}


def ones_own(world: World) -> Deed:
    uid = certificate(world, "bert", NAME)
    world.site(NAME, "bert", **SECURE)
    return "DELETE", f"/ssl/{uid}", None
