"""Giving keys to zones that are to be signed and have none yet."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from reconciler.lease import Lease
from reconciler.subject import Subject
from reconciler.survey import World
from state import reading
from state.dns.keys import KEY, known_key, make_key
from state.document import Document
from state.errors import Unreadable
from state.keeping import keep, put_away, sealed_with
from state.kind import LOCAL
from state.kinds.dns_zone import DnsZone

_log = structlog.get_logger()


def endow(world: World, lease: Lease, subject: Subject) -> Subject:
    """The subject with a key for each zone that lacked one, which is sealed with it. Raises Superseded."""
    lacking = [document for document in subject.documents.values() if _lacks_key(document)]
    if not lacking:
        return subject
    with world.database.writing() as connection:
        lease.check(connection)
        for document in lacking:
            kept, private = make_key(datetime.now(UTC))
            try:
                put_away(connection, world.settings.var, document.uid, {KEY: private})
            except Unreadable as error:
                _log.warning("a zone gets no key", zone=document.name, why=str(error))
                continue
            keep(connection, document.uid, kept)
        found = {d.uid: d for d in reading.by_uid(connection, [document.uid for document in lacking])}
    return _with(subject, lambda d: replace(d, kept=found[d.uid].kept, sealed=found[d.uid].sealed), found)


def as_endowed(world: World, subject: Subject) -> Subject:
    """The subject as `endow` would make it, for a dry run: with other keys, and nothing is stored."""

    def endowed(document: Document) -> Document:
        kept, private = make_key(datetime.now(UTC))
        try:
            sealed = sealed_with(world.settings.var, document.sealed, {KEY: private})
        except Unreadable:
            return document
        return replace(document, kept={**document.kept, **kept}, sealed=sealed)

    lacking = {uid: document for uid, document in subject.documents.items() if _lacks_key(document)}
    return _with(subject, endowed, lacking)


def _lacks_key(document: Document) -> bool:
    spec = document.spec
    if not isinstance(spec, DnsZone) or document.deleted or not spec.is_active or spec.dns_provider != LOCAL:
        return False
    return spec.dnssec_enabled and (known_key(document.kept) is None or document.sealed is None)


def _with(subject: Subject, change: Callable[[Document], Document], uids: Mapping[str, object]) -> Subject:
    documents = {uid: change(d) if uid in uids else d for uid, d in subject.documents.items()}
    return replace(subject, documents=documents)
