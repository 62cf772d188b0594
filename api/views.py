"""How things look in answers: documents, jobs, hosts and plans as REST objects, with nothing secret."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from state.document import Document
from state.filters import UNICODE
from state.kinds import KINDS
from state.names import with_u_labels
from state.plans import Plan
from state.shown import Shown
from state.targets import Target
from state.validation import dump


def time(value: datetime | None) -> str | None:
    """RFC 3339 in UTC."""
    return None if value is None else value.isoformat().replace("+00:00", "Z")


def document_view(shown: Shown) -> dict[str, Any]:
    """A document as its kind's REST object."""
    kind = shown.kind
    return {
        "id": shown.uid,
        "user_id": shown.owner_uid,
        **({kind.part_of.field: shown.whole} if kind.part_of else {}),
        kind.name_field: shown.name,
        **shown.values,
        **_unicode(shown),
        **{name: shown.kept.get(name, value) for name, value in kind.measured.items()},
        **shown.counts,
        **shown.remembered,
        "host": shown.target or None,
        "generation": shown.generation,
        "observed_generation": shown.observed_generation,
        "conditions": list(shown.conditions),
        "created_at": time(shown.created_at),
        "updated_at": time(shown.updated_at),
    }


def _unicode(shown: Shown) -> dict[str, str]:
    """Its host name as people read it."""
    named = shown.kind.host_field
    return (
        {UNICODE: with_u_labels(str({**shown.values, shown.kind.name_field: shown.name}[named]))}
        if named
        else {}
    )


def etag(state: int | str, view: Mapping[str, Any]) -> str:
    """An entity tag that changes with whatever is shown (RFC 9110, section 8.8.3).

    Its first part changes only with what was written, a document's with its generation: `expect` compares that alone.
    """
    return f'"{state}-{digest(view)}"'


def digest(view: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(view, sort_keys=True).encode()).hexdigest()[:24]


def export_view(document: Document) -> dict[str, Any]:
    """A document as one writes it in a file."""
    metadata = {"name": document.name, "owner": document.owner or None, "host": document.target or None}
    return {"kind": document.kind, "metadata": metadata, "spec": dump(document.spec)}


def stored_view(shown: Shown) -> dict[str, Any]:
    """A document as one writes it in a file, with what only a stored one has."""
    metadata = {"name": shown.name, "owner": shown.owner or None, "host": shown.target or None}
    known = {"uid": shown.uid, "generation": shown.generation}
    return {"kind": shown.kind.name, "metadata": metadata | known, "spec": dict(shown.values)}


def job_view(row: Any, user_id: str | None, lines: Sequence[str]) -> dict[str, Any]:
    """A job with its log."""
    return {
        "id": row.id,
        "job_type": row.job_type,
        "user_id": user_id,
        "host": row.target or None,
        "status": row.status,
        "parameters": row.parameters,
        "priority": row.priority,
        "scheduled_for": time(row.scheduled_for),
        "started_at": time(row.started_at),
        "completed_at": time(row.completed_at),
        "output_log": "\n".join(lines),
        "results": row.results,
        "request_id": row.request_id or None,
        "retry_of": row.retry_of,
        "created_at": time(row.created_at),
    }


def host_view(target: Target, documents: int) -> dict[str, Any]:
    """A managed host and what was last seen of it."""
    facts = target.facts
    return {
        "id": target.name,
        "name": target.name,
        "address": target.address,
        "listed": target.listed,
        "reachable": target.reachable,
        "message": target.message,
        "observed_at": time(target.observed_at),
        "documents": documents,
        "drifted": target.drifted,
        "dns_secondaries": list(target.secondaries),
        "unmanaged": list(target.unmanaged),
        "facts": {
            "hostname": facts.hostname,
            "php": list(facts.php),
            "nginx": facts.nginx,
            "ipv4": list(facts.ipv4),
            "ipv6": list(facts.ipv6),
            "shells": list(facts.shells),
        },
    }


def plan_view(plan: Plan, report: Mapping[str, Any] | None) -> dict[str, Any]:
    """A dry run: its state, and its report when there is one."""
    return {
        "id": plan.id,
        "status": plan.status,
        "created_at": time(plan.created_at),
        "report": None if report is None else dict(report),
    }


def difference(before: Document | None, after: Document) -> dict[str, Any]:
    """What a write would change of a document, field by field, and in one line where people read it so."""
    kind, new = KINDS[after.kind], dump(after.spec)
    old = dump(before.spec) if before else {}
    named = {"kind": kind.name, "name": after.name, "owner": after.owner}
    action = "delete" if after.deleted else "update" if before else "create"
    fields = [] if after.deleted else [n for n, value in new.items() if n not in old or old[n] != value]
    told: dict[str, Any] = {"action": action, **named}
    told["fields"] = [{"field": n, "before": old.get(n), "after": new[n]} for n in fields]
    if kind.line and (fields or after.deleted):
        was = kind.line(after.name, old or new) if before or after.deleted else None
        told["line"] = {"before": was, "after": None if after.deleted else kind.line(after.name, new)}
    return told


def webhook_view(row: Any) -> dict[str, Any]:
    """A webhook, without its secret."""
    return {
        "id": row.id,
        "user_id": row.uid,
        "url": row.url,
        "events": list(row.events),
        "is_active": row.is_active,
        "disabled_reason": row.disabled_reason or None,
        "failing_since": time(row.failing_since),
        "created_at": time(row.created_at),
        "updated_at": time(row.updated_at),
    }


def token_view(row: Any) -> dict[str, Any]:
    """An API token, without itself."""
    return {
        "id": row.id,
        "user_id": row.uid,
        "name": row.name,
        "scopes": list(row.scopes),
        "addresses": list(row.addresses),
        "expires_at": time(row.expires_at),
        "last_used_at": time(row.last_used_at),
        "last_used_address": row.last_used_address,
        "created_at": time(row.created_at),
        "updated_at": time(row.updated_at),
    }


def delivery_view(row: Any) -> dict[str, Any]:
    """What is told to a webhook, and how that went."""
    return {
        "id": row.id,
        "webhook_id": row.webhook,
        "event": row.event,
        "status": row.status,
        "attempts": row.attempts,
        "next_attempt_at": time(row.next_at),
        "response_status": row.answer_status,
        "message": row.message,
        "payload": json.loads(row.body),
        "created_at": time(row.created_at),
        "completed_at": time(row.completed_at),
    }


def audit_view(row: Any) -> dict[str, Any]:
    """An entry of the audit."""
    plain = ("id", "actor", "actor_id", "role", "token", "address", "request_id", "action")
    return {
        **{name: getattr(row, name) for name in plain},
        "object_type": row.object_type,
        "object_id": row.object_id,
        "owner": row.owner,
        "before": row.before,
        "after": row.after,
        "result": row.result,
        "at": time(row.at),
        "digest": row.digest,
    }
