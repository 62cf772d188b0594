"""Asking for the certificates that are needed: one job for each, and no second one while that is under way."""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection

from reconciler.certificates.decisions import needed
from reconciler.certificates.unserved import NOT_SERVED, forgotten, served_by
from state.certificates.jobs import ask_for_one, troubled_by, under_way
from state.compiling import Related
from state.document import Document
from state.keeping import keep
from state.reading import by_uid
from state.statuses import wake


def ask_for_certificates(
    connection: Connection, target: str, documents: Iterable[Document], related: Related
) -> None:
    """Adds a job for each of these documents that needs a certificate now; `related`: what they refer to."""
    now = datetime.now(UTC)
    asked = [document.uid for document in documents if needed(document, now, related)]
    known = under_way(connection, target) if asked else {}
    for document in by_uid(connection, asked):  # as they are now: a job of theirs may have ended meanwhile
        type_ = needed(document, now, related)
        if type_ and document.uid not in known:
            ask_for_one(connection, document, type_)


def wake_unserved(connection: Connection, target: str, live: Iterable[Document]) -> bool:
    """Calls for looks at the certificates that wait for names which a site among these documents has now, as if they
    had never failed for want of it; whether there are any. Other failures are waited for."""
    served = served_by(live)
    found = by_uid(connection, troubled_by(connection, NOT_SERVED, target, served))
    new = {each.uid: forgotten(each, served[each.owner]) for each in found}
    woken = [uid for uid, values in new.items() if values]
    for uid in woken:
        keep(connection, uid, new[uid])
    wake(connection, woken)
    return bool(woken)
