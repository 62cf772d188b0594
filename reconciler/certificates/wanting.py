"""Asking for the certificates that are needed: one job for each, and no second one while that is under way."""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection

from reconciler.certificates.decisions import needed
from state.certificates.jobs import ask_for_one, under_way
from state.compiling import Related
from state.document import Document
from state.reading import by_uid


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
