"""What an event is: something that happened to somebody's object, with what one may know of it; pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from state.document import Document
from state.kinds import KINDS, tenant_of

CREATED, UPDATED, DELETED, READY, FAILED = "created", "updated", "deleted", "ready", "failed"
ISSUED, RENEWED = "issued", "renewed"
VERBS = (CREATED, UPDATED, DELETED, READY, FAILED)
PING, DISABLED = "webhook.ping", "webhook.disabled"
ALIASES: Mapping[str, str] = {"domain.ssl.renewed": "ssl.certificate.renewed"}
SPECIFIED = (
    *(f"{topic}.{verb}" for topic in ("user", "domain") for verb in (CREATED, UPDATED, DELETED)),
    "dns.zone.created",
    "dns.record.updated",
    "mail.domain.created",
    "mail.account.created",
    "ssl.certificate.issued",
    "ssl.certificate.renewed",
    *(f"backup.{verb}" for verb in ("started", "completed", "failed")),
    *(f"job.{verb}" for verb in ("started", "completed", "failed")),
)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: its name, whose it is (empty: the house's), and what one may know of it.

    `manager` is who manages its owner; none where that is to be looked up.
    """

    name: str
    owner: str
    data: Mapping[str, Any]
    manager: str | None = None


def event_names() -> tuple[str, ...]:
    """Every event that one can subscribe to."""
    of_kinds = (f"{kind.topic}.{verb}" for kind in KINDS.values() for verb in VERBS)
    return tuple(dict.fromkeys((*SPECIFIED, *of_kinds, PING, DISABLED)))


def circle(role: str, name: str) -> tuple[str, str]:
    """The circle of a user: those who may know of the same events."""
    return ("admin", "") if role == "admin" else (role, name)


def circles(owner: str, manager: str) -> frozenset[tuple[str, str]]:
    """Who may know of an event: administrators, its owner, and the reseller who manages its owner."""
    return frozenset({("admin", ""), ("reseller", owner), ("user", owner), ("reseller", manager)})


def message(name: str, data: Mapping[str, Any], at: datetime) -> str:
    """An event as everybody is told of it, in one line of JSON."""
    told = {"event": name, "data": dict(data), "timestamp": at.isoformat().replace("+00:00", "Z")}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def of_document(document: Document, verb: str, **more: Any) -> Event:
    """What happened to a document."""
    kind = KINDS[document.kind]
    data = {
        "id": document.uid,
        "kind": kind.name,
        kind.name_field: document.name,
        "owner": document.owner or None,
        "host": document.target or None,
        "generation": document.generation,
    }
    name, data = f"{kind.topic}.{verb}", data | more
    if kind.owns:
        return Event(name, document.name, data, manager=document.owner)
    return Event(name, tenant_of(document) if kind.placed else "", data)


def of_job(job_id: str, job_type: str, owner: str, verb: str, target: str) -> Event:
    """What became of a job."""
    data = {"id": job_id, "job_type": job_type, "host": target or None}
    return Event(f"job.{verb}", owner, data)
