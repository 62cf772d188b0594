"""Making a plan true: one play, and what it says of each change."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from reconciler.changes import Action, Change, Plan
from reconciler.observe import Run
from state.errors import Superseded
from state.resource import Attributes, Secret, digest

Reveal = Callable[[Secret], str | None]
"""What a secret is; None when it cannot be read, and then its host refuses just that change."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one change: applied, refused (by a validator), failed, stale or skipped; and why."""

    status: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Applied:
    """Results by key, what was observed afterwards, what the services did.

    `suspects` are keys of what breaks a service's configuration without these changes: edits by hand, mostly.
    `remember`: what is to be remembered with the documents that things (by key) belong to.
    """

    results: Mapping[str, Result]
    observed: Mapping[str, Attributes | None]
    services: Mapping[str, Mapping[str, Any]]
    timings: Mapping[str, float]
    suspects: frozenset[str] = frozenset()
    remember: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def nothing(_: Secret) -> None:
    """For plans without secrets."""


def new_stamp() -> str:
    """The time now, as what goes to quarantine is marked with."""
    return datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")


def apply(
    run: Run, target: str, plan: Plan, token: int, stamp: str = "", reveal: Reveal = nothing
) -> Applied:
    """Applies the plan's changes under the lease's fencing token; what is deleted goes to quarantine under the stamp.

    Raises Superseded, Unreachable or Unknown.
    """
    services = sorted({change.service for change in plan.changes if change.service})
    request = _request(plan.changes, token, stamp or new_stamp(), reveal)
    response = run("apply", target, {**request, "services": services})
    if response["fenced"]:
        words = f"a newer worker has been at {target}: this one's changes were not made"
        raise Superseded(words, highest=response.get("highest"))
    timings, suspects = response.get("timings", {}), frozenset(response.get("suspects", ()))
    observed, services = response["observed"], response["services"]
    remember = response.get("remember", {})
    return Applied(_results(response), observed, services, timings, suspects, remember)


def rehearse(
    run: Run, target: str, changes: Iterable[Change], token: int, reveal: Reveal
) -> Mapping[str, Result]:
    """What the services' validators say of the configurations among `changes`; nothing live is touched.

    Empty when a newer worker has been there. Raises Unreachable or Unknown.
    """
    request = _request(changes, token, new_stamp(), reveal)
    response = run("apply", target, {**request, "services": [], "validate_only": True})
    return {} if response["fenced"] else _results(response)


def _request(changes: Iterable[Change], token: int, stamp: str, reveal: Reveal) -> dict[str, Any]:
    wired = [_wire(change, reveal) for change in changes]
    return {"version": 1, "token": token, "stamp": stamp, "changes": wired}


def _results(response: Mapping[str, Any]) -> dict[str, Result]:
    return {key: Result(r["status"], r.get("message") or "") for key, r in response["results"].items()}


def _wire(change: Change, reveal: Reveal) -> dict[str, Any]:
    resource = change.resource
    secret = resource.secret if resource else None
    return {
        "action": change.action.value,
        "key": change.key,
        "expect": None if change.before is None else digest(change.before),
        "attributes": None if change.after is None else dict(change.after),
        "content": reveal(secret) if secret else resource.content if resource else None,
        "data": change.action is Action.DELETE or bool(resource and resource.data),
        "once": bool(resource and resource.once),
        "document": change.document,
        "requires": list(resource.requires) if resource else [],
    }
