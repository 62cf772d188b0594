"""What of a target could not be looked at while the rest could: set apart, so that nothing is concluded of it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from reconciler.compile import Catalog
from reconciler.subject import Subject, Unread
from state.compiling import Reason
from state.document import Condition, Status


def set_apart(
    subject: Subject, catalog: Catalog, unread: Mapping[str, Reason]
) -> tuple[Subject, tuple[Unread, ...]]:
    """The subject without the documents that want or hold something that was not read (by key), and these."""
    if not unread:
        return subject, ()
    wanting = {key: uid for key, uid in catalog.wanted_by.items() if key in unread}
    held = {key: uid for uid, status in subject.statuses.items() for key in status.applied if key in unread}
    why = {uid: unread[key] for keys in (held, wanting) for key, uid in keys.items()}
    apart = {uid: why[d.whole or uid] for uid, d in subject.documents.items() if (d.whole or uid) in why}
    documents = {uid: d for uid, d in subject.documents.items() if uid not in apart}
    statuses = {uid: s for uid, s in subject.statuses.items() if uid not in apart}
    found = tuple(
        Unread(subject.documents[uid], subject.statuses[uid], reason) for uid, reason in apart.items()
    )
    return replace(subject, documents=documents, statuses=statuses), found


def say_unread(unread: Iterable[Unread], at: datetime) -> list[Status]:
    """The statuses of these, which are tried again soon."""
    return [_said(each, at) for each in unread]


def retried(unread: Iterable[Unread]) -> frozenset[str]:
    """The uids to try again: of parts, their wholes bring them along."""
    return frozenset(each.document.uid for each in unread if not each.document.whole)


def _said(each: Unread, at: datetime) -> Status:
    message, generation = f"{each.reason.message}; tried again soon", each.document.generation
    return each.status.having(Condition("Ready", False, each.reason.code, message, generation, at))
