"""Looking at everything on a target: drift is found and handed to the ordinary pass; nothing is changed here."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from reconciler.certificates.decisions import needed
from reconciler.certificates.wanting import ask_for_certificates
from reconciler.changes import Cause, Change
from reconciler.compile import Outcome
from reconciler.dnssec.lookout import leaving
from reconciler.lease import whoami
from reconciler.subject import Subject, Survey
from reconciler.survey import World, survey, whole_target
from reconciler.unread import retried
from state.certificates.ends import ENDED, ENDS_SOON
from state.document import Condition, Status
from state.job_types import SWEEP
from state.jobs import add_job, finish_job, log
from state.resource import RECORD_SET
from state.statuses import forgive, save_statuses, wake
from state.targets import swept
from state.zones.providers import name_of


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a sweep found: how many resources, the documents that need a pass, the drifted ones among them, and how
    each thing differs; zones that are signed still and are to be so no more."""

    resources: int
    needy: frozenset[str]
    drifted: frozenset[str]
    unmanaged: tuple[str, ...]
    differing: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    leaving: frozenset[str] = frozenset()


def sweep(world: World, target: str, still: AbstractContextManager[object], job: str = "") -> Sweep:
    """Looks at the whole target, then once more, while `still` keeps passes away, at what seemed to differ.

    What differs is told in the log of the job that it is done for, else in one of its own. Raises Unreachable or
    Unknown.
    """
    if name_of(target):
        with world.database.writing() as connection:
            forgive(connection, target)
    found = survey(world, whole_target(world.database, target), everything=True)
    unmanaged, resources = found.plan.unmanaged, len(found.catalog.resources)
    left = leaving(found.subject.documents.values())
    suspects = _needy(found)
    if not suspects:
        _record(world, found, frozenset(), unmanaged, job)
        _ask_for_certificates(world, found)
        return Sweep(resources, frozenset(), frozenset(), unmanaged, leaving=left)
    everything = found
    with still:
        found = survey(world, _only(whole_target(world.database, target), suspects))
        needy = _needy(found)
        drifted = frozenset(c.document for c in _drift(found) if c.document)
        _record(world, found, needy, unmanaged, job)
    _ask_for_certificates(world, everything)  # sites that are wrong are known to be, and waited for
    return Sweep(resources, needy, drifted, unmanaged, _differing(_drift(found)), left)


def _ask_for_certificates(world: World, found: Survey) -> None:
    """Those that are to be had or renewed, going by what the host has; what it has not yet is to be repaired first."""
    wrong = {change.document for change in found.plan.changes}
    right = [d for d in found.subject.documents.values() if d.uid not in wrong]
    related = found.subject.related.get
    if any(needed(document, datetime.now(UTC), related) for document in right):
        with world.database.writing() as connection:
            ask_for_certificates(connection, found.subject.target, right, related)


def _only(subject: Subject, uids: frozenset[str]) -> Subject:
    documents = {uid: d for uid, d in subject.documents.items() if uid in uids}
    statuses = {uid: s for uid, s in subject.statuses.items() if uid in uids}
    return replace(subject, documents=documents, statuses=statuses)


def _drift(found: Survey) -> list[Change]:
    return [c for c in found.plan.changes if c.cause is Cause.CORRECTIVE]


def _needy(found: Survey) -> frozenset[str]:
    """The documents that a pass has something to do for, or something new to say of."""
    needy = {change.document for change in found.plan.changes}
    needy |= {found.catalog.wanted_by[key] for key in found.plan.adopted}
    for uid, status in found.subject.statuses.items():
        outcome = found.catalog.outcomes[uid]
        blocked = found.plan.blocked.get(outcome.whole or uid, ())
        kept_from = bool(blocked) or outcome.held
        if not (status.conditions or kept_from or outcome.notes):
            continue  # a part that is ready, as very many are
        ready = next((c.status for c in status.conditions if c.type == "Ready"), not kept_from)
        told = ready != kept_from and _why(status) == "; ".join(
            r.message for r in (*outcome.blocked, *blocked)
        )
        if not told or _unsaid(status, outcome) or found.subject.documents[uid].deleted:
            needy.add(uid)
    services = {change.service for change in found.plan.changes if not change.document}
    needy |= {
        found.catalog.wanted_by[r.key] for r in found.catalog.resources.values() if r.service in services
    }
    return frozenset(needy - {""}) | retried(found.unread)


def _unsaid(status: Status, outcome: Outcome) -> bool:
    """Whether a certificate has come to its end, or near to it, and nobody was told yet."""
    reasons = {each.code for each in outcome.notes} & {ENDED, ENDS_SOON}
    return bool(reasons) and not any(c.type == "Secured" and c.reason in reasons for c in status.conditions)


def _why(status: Status) -> str:
    """What is said to block it; empty when nothing is."""
    return next((c.message for c in status.conditions if c.type == "Blocked" and c.status), "")


def _record(world: World, found: Survey, needy: frozenset[str], unmanaged: tuple[str, ...], job: str) -> None:
    target, drift = found.subject.target, _drift(found)
    by_document: dict[str, list[Change]] = {}
    for change in drift:
        by_document.setdefault(change.document, []).append(change)
    statuses = [
        _drifted(found, uid, changes) for uid, changes in by_document.items() if uid in found.subject.statuses
    ]
    with world.database.writing() as connection:
        swept(connection, target, drifted=len(by_document), unmanaged=list(unmanaged))
        save_statuses(connection, statuses)
        save_statuses(connection, _calmed(found, by_document))
        wake(connection, needy)
        if drift:
            told = job or add_job(
                connection, SWEEP, target=target, parameters={"host": target}, holder=whoami()
            )
            log(connection, told, *(_line(change) for change in drift[:500]))
            if not job:
                finish_job(connection, told, "completed", _differing(drift))


def _differing(drift: Sequence[Change]) -> dict[str, dict[str, str]]:
    return {c.key: {"action": c.action.value, "status": "drifted"} for c in drift[:5000]}


def _drifted(found: Survey, uid: str, changes: list[Change]) -> Status:
    document, status = found.subject.documents[uid], found.subject.statuses[uid]
    message = "\n".join(_line(change) for change in changes[:20])
    reason = "ChangedAtProvider" if changes[0].type == RECORD_SET else "ChangedOnHost"
    at = datetime.now(UTC)
    return status.having(Condition("Drifted", True, reason, message[:8000], document.generation, at))


def _calmed(found: Survey, by_document: dict[str, list[Change]]) -> list[Status]:
    """Statuses of documents that were repaired earlier and were found as they should be: the fight is over."""
    return [
        replace(status, repairs={})
        for uid, status in found.subject.statuses.items()
        if status.repairs and uid not in by_document and not found.plan.blocked.get(uid)
    ]


def _line(change: Change) -> str:
    where = "at the provider" if change.type == RECORD_SET else "on the host"
    fields = "; ".join(
        f"{name}: {_shown(after)} is {_shown(before)} {where}" for name, before, after in change.fields
    )
    state = "is missing" if change.before is None else fields
    return f"{change.key} {state}" + (f"\n{change.diff}" if change.diff else "")


def _shown(value: object) -> object:
    return "none" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else value
