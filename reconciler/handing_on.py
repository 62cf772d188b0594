"""What a pass does for the secondaries of its host: keys before zones are handed on, and a call when they changed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection

from reconciler.lease import Lease
from reconciler.subject import Subject, Survey
from reconciler.survey import World
from state.database import Database
from state.document import Document
from state.kinds import EVERY, has_copies
from state.reading import by_uid
from state.statuses import wake
from state.targets import get_target, list_targets
from state.zones.copies import copies, copy_of
from state.zones.transfer_keys import give_keys, lacks_key, with_passing_key


def with_keys(world: World, lease: Lease, subject: Subject) -> Subject:
    """The subject with a key for each zone that is to be handed on and has none; it is stored before it is used."""
    lacking = [document for document in subject.documents.values() if lacks_key(document)]
    if not lacking or not _secondaries(world.database, subject.target):
        return subject
    with world.database.writing() as connection:
        lease.check(connection)
        known = give_keys(connection, world.settings.var, lacking)
    return replace(subject, documents={**subject.documents, **known})


def call_secondaries(connection: Connection, found: Survey, forgotten: Iterable[str]) -> frozenset[str]:
    """Has the copies looked at of the zones that are others now; the hosts that have something to do."""
    documents = found.subject.documents
    changed = {change.document for change in found.plan.changes} & documents.keys()
    zones = [documents[uid] for uid in changed if has_copies(documents[uid])]
    called = copies(connection, (zone.name for zone in zones)) if zones else []
    wake(connection, [copy.uid for copy in called])
    gone = any(_handed_on(documents[uid]) for uid in forgotten)
    also = get_target(connection, found.subject.target).secondaries if gone else ()
    return frozenset((*(copy.target for copy in called), *also))


def foreseen(world: World, overlay: Sequence[Document]) -> list[Document]:
    """What would be stored if these documents were: with what is remembered of each, and with the copies of zones.

    A zone without a key has one that is good for this look only.
    """
    with world.database.reading() as connection:
        stored = {each.uid: each for each in by_uid(connection, [each.uid for each in overlay])}
        known = [_remembering(each, stored.get(each.uid)) for each in overlay]
        secondaries = {host.name: host.secondaries for host in list_targets(connection)}
        living = copies(connection, [each.name for each in known if EVERY[each.kind].copied])
    zones = [each for each in known if has_copies(each)]
    wanted = [copy_of(zone, host) for zone in zones for host in secondaries.get(zone.target, ())]
    there = {copy.uid for copy in living}
    gone = {copy.uid for copy in living} - {copy.uid for copy in wanted}
    ending = [replace(copy, deleted_at=datetime.now(UTC)) for copy in living if copy.uid in gone]
    new = [copy for copy in wanted if copy.uid not in there]
    keyed = [_keyed(world, each) if secondaries.get(each.target) else each for each in known]
    return [*keyed, *new, *ending]


def _keyed(world: World, document: Document) -> Document:
    return with_passing_key(document, world.settings.var) if lacks_key(document) else document


def _remembering(document: Document, stored: Document | None) -> Document:
    """With what is remembered of it, unless something else was handed over with it."""
    if stored is None or document.sealed:
        return document
    return replace(document, kept=stored.kept, sealed=stored.sealed)


def _secondaries(database: Database, host: str) -> tuple[str, ...]:
    with database.reading() as connection:
        return get_target(connection, host).secondaries


def _handed_on(tombstone: Document) -> bool:
    return has_copies(replace(tombstone, deleted_at=None))
