"""From what was planned and what became of it to what is known of each document; pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from reconciler.apply import Applied, Result
from reconciler.changes import Change
from reconciler.compile import Outcome
from reconciler.fates import Fates, fates_of
from reconciler.results import DONE, UNDONE, Results, inventory_of, refusals, repairs, result_of
from reconciler.subject import Subject, Survey
from state.certificates.ends import ENDS_SOON
from state.compiling import Reason
from state.dns.external import MISSING
from state.document import PROMISE, Condition, Document, Status
from state.errors import GhostError
from state.journal.event import FAILED, READY, Event, of_document
from state.kinds import KINDS
from state.resource import SHOWN, digest

_SHOWN = f"{SHOWN}:"
NOTHING = Applied({}, {}, {}, {})


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A document's new status; whether another try soon may help; whether its tombstone is fulfilled; what is new to
    be remembered with it."""

    status: Status
    retry: bool
    forget: bool
    keep: Mapping[str, Any] = field(default_factory=dict)


def conclude(survey: Survey, applied: Applied, at: datetime) -> dict[str, Conclusion]:
    """One conclusion for every document of the survey, by uid; `at` is the time of what changes now."""
    results = {change.key: result_of(change, applied) for change in survey.plan.changes}
    fates = fates_of(survey.plan)
    down = {c.service: results[c.key] for c in fates.changes.get("", ()) if results[c.key].status not in DONE}
    return {
        uid: _conclude_one(
            survey,
            document,
            fates,
            results,
            applied,
            _users(survey, uid, down),
            at,
        )
        for uid, document in survey.subject.documents.items()
    }


def changed_statuses(subject: Subject, conclusions: Mapping[str, Conclusion]) -> list[Status]:
    """The statuses to be stored: those of parts only where they differ, since there may be many."""
    known, documents = subject.statuses, subject.documents
    return [
        conclusion.status
        for uid, conclusion in conclusions.items()
        if not documents[uid].whole or conclusion.status != known[uid]
    ]


def news(survey: Survey, conclusions: Mapping[str, Conclusion]) -> list[Event]:
    """What there is to tell of documents: that they have become ready, or that something keeps them from it."""
    found = []
    for uid, conclusion in conclusions.items():
        document, old = survey.subject.documents[uid], survey.subject.statuses[uid]
        before, now = _ready(old), _ready(conclusion.status)
        if now is None or document.kind not in KINDS or document.deleted or now.reason in _waits(survey, uid):
            continue
        same = before and (before.status, before.reason) == (now.status, now.reason)
        if not same or old.observed_generation != document.generation:
            verb = READY if now.status else FAILED
            found.append(of_document(document, verb, reason=now.reason, message=now.message))
        ending = _ending(conclusion.status)
        if ending and now.status and not _ending(old):
            found.append(of_document(document, FAILED, reason=ending.reason, message=ending.message))
    return found


def _ending(status: Status) -> Condition | None:
    """That what still is in order will not be for long."""
    return next((c for c in status.conditions if c.type == "Secured" and c.reason == ENDS_SOON), None)


def _waits(survey: Survey, uid: str) -> frozenset[str]:
    """The reasons that a document waits for us, which is nothing to tell of."""
    return frozenset(reason.code for reason in survey.catalog.outcomes[uid].waiting)


def _ready(status: Status) -> Condition | None:
    return next((condition for condition in status.conditions if condition.type == "Ready"), None)


def is_ready(status: Status) -> bool:
    """Whether all is as the document wants it."""
    ready = _ready(status)
    return ready is not None and ready.status


def intend(survey: Survey) -> dict[str, Status]:
    """Statuses, by uid, that promise what is about to be made: found just so after a crash, it is ours."""
    ahead: dict[str, dict[str, str]] = {}
    known = survey.subject.statuses
    for change in survey.plan.changes:
        if not change.document or change.after is None:
            continue
        if known[change.document].applied.get(change.key, PROMISE).startswith(PROMISE):
            promise = PROMISE + digest(change.after)
            ahead.setdefault(change.document, {})[change.key] = promise
    return {uid: replace(known[uid], applied={**known[uid].applied, **new}) for uid, new in ahead.items()}


def remembered_ahead(survey: Survey) -> dict[str, Mapping[str, Any]]:
    """What is to be remembered, by uid, before the changes are made: a crash after them must not forget it."""
    documents, outcomes = survey.subject.documents, survey.catalog.outcomes
    changed = {change.document for change in survey.plan.changes} & outcomes.keys()
    new = {uid: _new(documents[uid], outcomes[uid].ahead) for uid in sorted(changed)}
    return {uid: values for uid, values in new.items() if values}


def first_made(survey: Survey) -> dict[str, str]:
    """Of what nothing was made before and something is about to be: owners by names."""
    documents, known = survey.subject.documents, survey.subject.statuses
    made = {change.document for change in survey.plan.changes if change.after is not None} - {""}
    return {documents[uid].name: documents[uid].owner for uid in made if not known[uid].applied}


def learned(survey: Survey, applied: Applied) -> dict[str, Mapping[str, Any]]:
    """What the target told of its own accord that is to be remembered, by uid."""
    documents, wanted_by = survey.subject.documents, survey.catalog.wanted_by
    told = {**survey.look.remember, **applied.remember}
    new = {wanted_by[key]: values for key, values in told.items() if key in wanted_by}
    return {uid: fresh for uid, values in new.items() if (fresh := _new(documents[uid], values))}


def _new(document: Document, values: Mapping[str, Any]) -> dict[str, Any]:
    """What is not remembered with a document yet."""
    return {name: value for name, value in values.items() if document.kept.get(name) != value}


_FREE = Reason("Free", "")


def postpone(subject: Subject, error: GhostError, at: datetime) -> list[Status]:
    """The statuses of documents whose target could not be looked at or worked on: what held them is still so, except
    that there was no such target."""
    reason, message = type(error).__name__, f"{error}; tried again soon"
    statuses = []
    for uid, document in subject.documents.items():
        status = subject.statuses[uid]
        if any(each.type == "Blocked" and each.reason == MISSING for each in status.conditions):
            status = status.having(Condition("Blocked", False, _FREE.code, "", document.generation, at))
        statuses.append(status.having(Condition("Ready", False, reason, message, document.generation, at)))
    return statuses


def _users(survey: Survey, uid: str, down: Mapping[str | None, Result]) -> list[Reason]:
    """What the services that do not run, or not what is live, mean for a document."""
    if not down:
        return []
    resources = (survey.catalog.resources[key] for key in survey.catalog.outcomes[uid].keys)
    used = sorted({r.service for r in resources if r.service in down and r.service})
    return [Reason("ServiceFailed", f"{name}: {down[name].message}") for name in used]


def _conclude_one(
    survey: Survey,
    document: Document,
    fates: Fates,
    results: Results,
    applied: Applied,
    down: list[Reason],
    at: datetime,
) -> Conclusion:
    old = survey.subject.statuses[document.uid]
    outcome = survey.catalog.outcomes[document.uid]
    changes = fates.changes_for(document.uid, outcome)
    failed = [(c, results[c.key]) for c in changes if results[c.key].status not in DONE]
    blocked = (*outcome.blocked, *fates.blocked_for(document.uid, outcome))
    status = old
    if old.observed_generation != document.generation:
        status = replace(old, observed_generation=document.generation)
    if not document.whole:
        status = replace(
            status,
            applied=inventory_of(survey, document, old, changes, results, applied),
            refused=refusals(old, outcome, failed),
            repairs=repairs(old, changes, results),
        )
    unseen = tuple(_unseen(survey, applied, outcome.keys))
    outcome = replace(outcome, notes=(*outcome.notes, *unseen)) if unseen else outcome
    own = _problems(outcome, blocked, failed)
    problems = [*own, *down]
    for told in _told(status, problems, blocked, outcome, repaired=not own):
        status = status.having(Condition(*told, document.generation, at))
    left = document.deleted and bool(status.applied) and not problems
    retry = left or bool(down) or any(result.status not in {"refused", *DONE} for _, result in failed)
    forget = document.deleted and not status.applied and not problems
    new = {} if problems else _new(document, outcome.keep)
    return Conclusion(status, retry and not document.whole, forget, new)


def _unseen(survey: Survey, applied: Applied, keys: Iterable[str]) -> Iterator[Reason]:
    """That visitors are not shown the certificate that they should be."""
    for key in (key for key in keys if key.startswith(_SHOWN)):
        wanted, before = survey.catalog.resources[key], survey.look.observation.found.get(key)
        if applied.observed.get(key, before) != wanted.attributes:
            yield Reason("NotShown", f"visitors of {wanted.name} are shown another certificate, or none")


def _problems(
    outcome: Outcome, blocked: tuple[Reason, ...], failed: list[tuple[Change, Result]]
) -> list[Reason]:
    codes = {"refused": "Refused", "stale": "Changed", "skipped": "Waiting", UNDONE: "Undone"}
    told = [Reason(codes.get(r.status, "ApplyFailed"), f"{c.key}: {r.message}") for c, r in failed]
    told.sort(key=lambda reason: reason.code == "Waiting")
    return [*blocked, *((outcome.failed,) if outcome.failed else ()), *told, *outcome.waiting]


def _told(
    status: Status,
    problems: list[Reason],
    blocked: tuple[Reason, ...],
    outcome: Outcome,
    *,
    repaired: bool,
) -> Iterator[tuple[str, bool, str, str]]:
    """What there is to say of the document: type, status, reason and message of conditions.

    It is `repaired` when all that is its own is as wanted, whatever keeps a service from running.
    """
    known = {condition.type for condition in status.conditions}
    ready = problems[0] if problems else Reason("Converged", "everything is as wanted")
    yield "Ready", not problems, ready.code, "; ".join(p.message for p in problems) or ready.message
    hold = blocked[0] if blocked else _FREE
    yield "Blocked", bool(blocked), hold.code, "; ".join(reason.message for reason in blocked)
    if "Drifted" in known and repaired:
        yield "Drifted", False, "Repaired", ""
    if outcome.insecure:
        yield "Secured", False, outcome.insecure[0].code, outcome.insecure[0].message
    elif outcome.secured:
        yield "Secured", True, outcome.secured.code, outcome.secured.message
    elif "Secured" in known:
        yield "Secured", False, "NotWanted", ""
