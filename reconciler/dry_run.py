"""Answering plans: what would be done, for everything, for one owner, or for documents that are not stored."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from reconciler.apply import rehearse
from reconciler.changes import Plan as Changes
from reconciler.dnssec.endowing import as_endowed
from reconciler.dnssec.lookout import as_seen
from reconciler.guard import judge
from reconciler.handing_on import foreseen
from reconciler.lease import last_token
from reconciler.plan import refuse
from reconciler.report import failed_report, target_report, whole_report
from reconciler.subject import Subject, Survey, with_overlay
from reconciler.survey import World, survey, whole_target
from state import reading
from state.document import Document, Ref
from state.errors import GhostError, NotFound
from state.kinds import EVERY, tenant_of
from state.plans import Plan, answer, unpack
from state.resource import RECORD_SET
from state.targets import list_targets

_log = structlog.get_logger()


def answer_plan(world: World, plan: Plan) -> None:
    """Leaves the plan's report; whatever goes wrong, it gets an answer."""
    try:
        report = make_report(world, plan)
        status = "ready"
    except GhostError as error:
        report, status = whole_report([failed_report("", str(error))], []), "failed"
    except SQLAlchemyError:
        raise
    except Exception as error:
        _log.exception("a plan could not be made, by a fault of ours", plan=plan.id)
        words = f"a fault of ours ({type(error).__name__}); the worker's log says more"
        report, status = whole_report([failed_report("", words)], []), "failed"
    with world.database.writing() as connection:
        answer(connection, plan.id, status, report)


def make_report(world: World, plan: Plan) -> dict[str, Any]:
    """The report of a plan's request."""
    request = plan.request
    overlay = foreseen(world, [unpack(values) for values in request.get("overlay", ())])
    with world.database.reading() as connection:
        names = [t.name for t in list_targets(connection)]
        touched = _touched(connection, overlay) if overlay else []
        around = _around(connection, overlay)
    if request.get("target"):
        names = [name for name in names if name == request["target"]]
        if not names:
            raise NotFound(f"no host {request['target']!r} is managed")
    if overlay:
        names = [name for name in names if any(d.target == name for d in touched)]
    owner = request.get("owner") or ""
    parts = [_target_part(world, name, overlay, touched, around, owner) for name in names]
    return whole_report(parts, list(request.get("documents", ())))


def _touched(connection: Connection, overlay: list[Document]) -> list[Document]:
    """What the plan is about: the documents as they would be, those that refer to them, and what they are parts of."""
    known = {d.uid for d in overlay}
    wholes = sorted({d.whole for d in overlay if d.whole} - known)
    return [*overlay, *reading.by_uid(connection, wholes), *reading.dependents(connection, overlay)]


def _around(connection: Connection, overlay: list[Document]) -> dict[Ref, Document]:
    """What is stored of that which these documents refer to, which nothing on their target may refer to yet."""
    wanted = {ref for d in overlay if not d.deleted for ref in EVERY[d.kind].references(d)}
    return {document.ref: document for document in reading.by_refs(connection, wanted)}


def _target_part(
    world: World,
    target: str,
    overlay: list[Document],
    touched: list[Document],
    around: Mapping[Ref, Document],
    owner: str,
) -> dict[str, Any]:
    subject = whole_target(world.database, target)
    subject = replace(subject, related={**around, **subject.related})
    subject = as_endowed(world, with_overlay(subject, overlay))
    total = len(subject.documents)
    doubtful = sum(d.deleted and not d.confirmed for d in subject.documents.values())
    subject = as_seen(world, subject, [document.uid for document in overlay])
    asked = {d.uid for d in touched} if overlay else set(subject.documents)
    if owner:
        about = (d for d in subject.documents.values() if d.uid in asked)
        asked = _of_owner(about, owner) | {document.uid for document in overlay}
    beside = _in_the_way(subject.documents.values(), overlay) - asked
    subject = _only(subject, asked | beside)
    try:
        found = _judged(world, survey(world, subject, everything=not overlay and not owner))
    except GhostError as error:
        return failed_report(target, str(error))
    verdict, plan = judge(found.plan, subject.documents, total, doubtful), _without(found.plan, beside)
    warnings = {uid: reasons for uid, reasons in found.warnings.items() if uid not in beside}
    return target_report(target, plan, subject.documents, found.held, verdict, warnings)


def _in_the_way(documents: Iterable[Document], overlay: Iterable[Document]) -> set[str]:
    """The tombstones whose name, or whose owner's name, one of these documents has: a pass brings them along, since
    what they hold is the document's then."""
    names = {document.name for document in overlay if not document.deleted}
    return {d.uid for d in documents if d.deleted and not names.isdisjoint({d.name, d.owner})}


def _without(plan: Changes, beside: set[str]) -> Changes:
    """What is to be done for the documents that were asked about alone."""
    changes = tuple(change for change in plan.changes if change.document not in beside)
    blocked = {uid: reasons for uid, reasons in plan.blocked.items() if uid not in beside}
    return replace(plan, changes=changes, blocked=blocked)


def _judged(world: World, found: Survey) -> Survey:
    """The survey as it will turn out: with what the services' validators would refuse blocked beforehand.

    A document whose account is not there yet cannot be judged: PHP-FPM looks the account up.
    """
    new = {change.key for change in found.plan.changes if change.type == "account"}
    early = {c.document for c in found.plan.changes if _needs(found, c.document) & new}
    judged = {"config", RECORD_SET}
    configs = [c for c in found.plan.changes if c.type in judged and c.document not in early]
    if not configs:
        return found
    with world.database.reading() as connection:
        token = last_token(connection, found.subject.target)
    results = rehearse(world.run, found.subject.target, configs, token, world.reveal)
    bad = {c.key: results[c.key] for c in configs if c.key in results and results[c.key].status == "refused"}
    return replace(found, plan=refuse(found.plan, {key: result.message for key, result in bad.items()}))


def _needs(found: Survey, uid: str) -> set[str]:
    outcome = found.catalog.outcomes.get(uid)
    resources = (found.catalog.resources[key] for key in (outcome.keys if outcome else ()))
    return {required for resource in resources for required in resource.requires}


def _of_owner(documents: Iterable[Document], owner: str) -> set[str]:
    return {d.uid for d in documents if owner in {d.owner, tenant_of(d)}}


def _only(subject: Subject, uids: set[str]) -> Subject:
    documents = {uid: d for uid, d in subject.documents.items() if uid in uids}
    return replace(subject, documents=documents, statuses={uid: subject.statuses[uid] for uid in documents})
