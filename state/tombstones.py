"""Tombstones: documents whose deletion is wanted and not yet true, kept until it is."""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, Table, delete, insert, select, update

from state.access.tables import api_tokens, attempts, recovery_codes, second_factors
from state.claims import release
from state.document import Document
from state.journal.event import DELETED, of_document
from state.journal.events import emit
from state.journal.tables import webhooks
from state.kinds import EVERY, KINDS
from state.tables import credentials, documents, refs, revisions, statuses
from state.tracing import current_request
from state.zones.copies import end

_THEIRS = (credentials, api_tokens, recovery_codes, second_factors, webhooks)


def bury(connection: Connection, document: Document, actor: str, *, confirmed: bool) -> None:
    """Turns a living document into a tombstone; its names are free again at once.

    Until someone confirms it, its password and what else lets it in are kept: its source may have lost it by mistake.
    """
    now, row = datetime.now(UTC), documents.c.uid == document.uid
    tombstone = {
        "deleted_at": now,
        "updated_at": now,
        "wanted": documents.c.wanted + 1,
        "confirmed": confirmed,
        "request_id": current_request(),
    }
    connection.execute(update(documents).where(row).values(**tombstone, pending=bool(document.target)))
    release(connection, [document.uid])
    for table in (refs, *_theirs(document.kind)) if confirmed else (refs,):
        connection.execute(delete(table).where(table.c.uid == document.uid))
    if KINDS[document.kind].owns:
        connection.execute(delete(attempts).where(attempts.c.account == document.name))
    revision = {
        "uid": document.uid,
        "generation": document.generation + 1,
        "spec": {},
        "actor": actor,
        "at": now,
    }
    connection.execute(insert(revisions).values(revision))
    emit(connection, of_document(document, DELETED))
    if not document.target:
        forget(connection, [document.uid])


def confirm(connection: Connection, document: Document) -> None:
    """Confirms a deletion that the guard may be holding back."""
    row = (documents.c.uid == document.uid) & documents.c.deleted_at.is_not(None)
    confirmed = {"confirmed": True, "wanted": documents.c.wanted + 1, "pending": documents.c.target != ""}
    connection.execute(update(documents).where(row, documents.c.confirmed.is_(False)).values(**confirmed))


def forget(connection: Connection, uids: Iterable[str]) -> None:
    """Removes tombstones whose deletion has become true on their target."""
    for uid in uids:
        row = (documents.c.uid == uid) & documents.c.deleted_at.is_not(None)
        kind = connection.execute(select(documents.c.kind).where(row)).scalar()
        if kind is None:
            continue
        for table in (statuses, refs, *_theirs(kind)):
            connection.execute(delete(table).where(table.c.uid == uid))
        connection.execute(delete(documents).where(row))
        if EVERY[kind].copied:
            end(connection, uid)


def _theirs(kind: str) -> tuple[Table, ...]:
    """Where there may be rows of a document that can be logged in as."""
    return _THEIRS if EVERY[kind].password else ()
