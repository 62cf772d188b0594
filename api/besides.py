"""What a transaction comes to: what was asked for, what comes with that, and what loses its name to it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from api.auth import Principal
from api.visibility import visible_documents
from api.writes import Written
from state.database import Database
from state.document import Document
from state.journal.events import documents_told_of
from state.reading import by_uid
from state.tables import documents


def with_besides(
    database: Database, connection: Connection, principal: Principal, written: Sequence[Written]
) -> tuple[Written, ...]:
    """The writes as they are left by their transaction, which is not committed yet, and those of other documents in it,
    withheld where the principal may not know of them. What came and went in it is left out."""
    told, asked = documents_told_of(connection), {one.after.uid for one in written}
    known = asked | {document.uid for one in written for document in one.also}
    others = [uid for uid in told if uid not in known]
    with database.reading() as outside:
        before = {document.uid: document for document in by_uid(outside, told) if not document.deleted}
        seen = _visible(outside, principal, others)
    seen |= _visible(connection, principal, others)
    left, now = {document.uid: document for document in by_uid(connection, told)}, datetime.now(UTC)
    left = {uid: replace(document, deleted_at=now) for uid, document in before.items()} | left
    brief = {uid for uid in told if uid not in before and (uid not in left or left[uid].deleted)}
    own = (_as_left(one, left, asked | brief) for one in written if one.after.uid not in brief)
    besides = (uid for uid in others if uid not in brief)
    return (*own, *(Written(before.get(uid), left[uid], withheld=uid not in seen) for uid in besides))


def _as_left(one: Written, left: Mapping[str, Document], apart: Collection[str]) -> Written:
    """The write as it turned out, without those deleted with it that are told of apart, or not at all."""
    also = tuple(document for document in one.also if document.uid not in apart)
    return replace(one, after=left.get(one.after.uid, one.after), also=also)


def _visible(connection: Connection, principal: Principal, uids: Sequence[str]) -> set[str]:
    """Those of `uids` that the principal may know of."""
    found = set[str]()
    for start in range(0, len(uids), 500):
        mine = documents.c.uid.in_(uids[start : start + 500])
        query = select(documents.c.uid).where(mine, visible_documents(principal))
        found |= set(connection.execute(query).scalars())
    return found
