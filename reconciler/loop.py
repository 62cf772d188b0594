"""The reconcile loop: one pass over what is pending on a target, from documents to proof."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import structlog

from reconciler.apply import Applied, apply, new_stamp
from reconciler.certificates.wanting import ask_for_certificates, wake_unserved
from reconciler.changes import Plan
from reconciler.conclude import (
    NOTHING,
    changed_statuses,
    conclude,
    first_made,
    intend,
    is_ready,
    learned,
    news,
    postpone,
    remembered_ahead,
)
from reconciler.dnssec.endowing import endow
from reconciler.dnssec.lookout import leaving
from reconciler.guard import hold_back, judge
from reconciler.handing_on import call_secondaries, with_keys
from reconciler.lease import Lease
from reconciler.record import Journal
from reconciler.subject import Subject, Survey
from reconciler.survey import World, note_own, pending_on, survey
from reconciler.unread import retried, say_unread
from state.errors import Superseded, Temporary, Unreachable
from state.journal.events import emit
from state.keeping import keep_all
from state.queue import ring
from state.statuses import holders, save_statuses, settle, wake
from state.targets import answered, seen
from state.tombstones import forget
from state.zones.providers import grant, name_of

BATCH = 5000
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pass:
    """What a pass did: how many documents it looked at, which want another try soon, and whether more wait;
    `postponed`: the target could not be worked on, and everything is still pending; `leaving`: zones that are signed
    still and are to be so no more."""

    documents: int = 0
    retry: frozenset[str] = frozenset()
    again: bool = False
    postponed: bool = False
    leaving: frozenset[str] = frozenset()


def reconcile(world: World, lease: Lease) -> Pass:
    """Makes what is pending on the lease's target true. Raises Superseded when the lease is lost.

    Reads as the design does: load, compile, observe, plan, guard, apply, prove, record.
    """
    subject = pending_on(world.database, lease.target, BATCH)
    if not subject.documents:
        return Pass()
    try:
        _fence(world, lease)
        subject = endow(world, lease, with_keys(world, lease, subject))
        found = _guarded(_look(world, subject))
        if not found.plan.changes:
            return _concluded(world, lease, found, NOTHING, None)
        subject = _write_ahead(world, lease, found)
        stamp = new_stamp()
        with Journal(world.database, found, stamp, world.settings.quarantine_days) as journal:
            done = apply(world.run, lease.target, found.plan, lease.token, stamp, world.reveal)
            note_own(world, lease.target, found.catalog, done.observed)
            return _concluded(world, lease, found, done, journal)
    except Superseded as error:
        if isinstance(highest := error.details.get("highest"), int):
            lease.surpass(highest)
            return Pass(again=True)
        raise
    except Temporary as error:
        return _postponed(world, lease, subject, error)


def _fence(world: World, lease: Lease) -> None:
    """Whatever the last holder has begun is over, and it can begin nothing more, before we look."""
    if lease.inherited:
        apply(world.run, lease.target, Plan(), lease.token)
        lease.inherited = False


def _look(world: World, subject: Subject) -> Survey:
    known = any(status.applied or status.observed_generation for status in subject.statuses.values())
    fresh = not known and not name_of(subject.target)
    return survey(world, subject, presume_absent=fresh)


def _guarded(found: Survey) -> Survey:
    subject = found.subject
    verdict = judge(found.plan, subject.documents, subject.total, subject.doubtful)
    if verdict.allowed:
        return found
    _log.warning("deletions held back", target=subject.target, why=verdict.message)
    return replace(found, plan=hold_back(found.plan, subject.documents, verdict))


def _write_ahead(world: World, lease: Lease, found: Survey) -> Subject:
    """What is about to be made is promised before it exists, so that a crash loses nothing."""
    promised = intend(found)
    with world.database.writing() as connection:
        lease.check(connection)
        save_statuses(connection, promised.values())
        keep_all(connection, remembered_ahead(found))
        if provider := name_of(lease.target):
            grant(connection, provider, first_made(found))
    return replace(found.subject, statuses={**found.subject.statuses, **promised})


def _concluded(world: World, lease: Lease, found: Survey, done: Applied, journal: Journal | None) -> Pass:
    conclusions = conclude(found, done, datetime.now(UTC))
    subject, forgotten = found.subject, [uid for uid, c in conclusions.items() if c.forget]
    with world.database.writing() as connection:
        lease.check(connection)
        save_statuses(connection, changed_statuses(subject, conclusions))
        save_statuses(connection, say_unread(found.unread, datetime.now(UTC)))
        settle(connection, [*subject.documents.values(), *(each.document for each in found.unread)])
        keep_all(connection, {uid: c.keep for uid, c in conclusions.items() if c.keep})
        keep_all(connection, learned(found, done))
        forget(connection, forgotten)
        called = call_secondaries(connection, found, forgotten)
        emit(connection, *news(found, conclusions))
        ask_for_certificates(connection, subject.target, subject.documents.values(), subject.related.get)
        live = [subject.documents[uid] for uid, c in conclusions.items() if is_ready(c.status)]
        woken = wake_unserved(connection, subject.target, live)
        if journal:
            answered(connection, subject.target)
            journal.ended(connection, done)
        wake(connection, holders(connection, subject.target, done.suspects))
    for host in called:
        ring(world.settings, host)
    stale = {key for key, result in done.results.items() if result.status == "stale"}
    retry = frozenset(uid for uid, c in conclusions.items() if c.retry) | retried(found.unread)
    again = bool(stale or done.suspects or woken) or len(subject.documents) >= BATCH
    return Pass(len(subject.documents), retry, again, leaving=leaving(subject.documents.values()))


def _postponed(world: World, lease: Lease, subject: Subject, error: Temporary) -> Pass:
    """The target could not be looked at: its documents say so and wait."""
    with world.database.writing() as connection:
        lease.check(connection)
        if isinstance(error, Unreachable):
            seen(connection, subject.target, None, str(error))
        save_statuses(connection, postpone(subject, error, datetime.now(UTC)))
    return Pass(len(subject.documents), postponed=True)
