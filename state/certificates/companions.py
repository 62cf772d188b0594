"""Documents that come with another one: made, changed and deleted in the transaction in which that is.

Which one it came with is remembered with it. One of the same name that somebody wrote is theirs, and left alone.
"""

from collections.abc import Callable, Collection
from typing import Protocol

from sqlalchemy import Connection

from state.document import OF, Document, Ref
from state.errors import Conflict
from state.keeping import keep
from state.kind import Kind, Values
from state.kinds import KINDS
from state.reading import by_uid, find
from state.validation import dump


class Create(Protocol):
    def __call__(
        self, connection: Connection, kind: Kind, name: str, owner: str, values: Values, *, actor: str
    ) -> Document: ...


class Change(Protocol):
    def __call__(
        self, connection: Connection, document: Document, values: Values, *, actor: str
    ) -> object: ...


def accompany(
    connection: Connection, document: Document, actor: str, create: Create, change: Change
) -> frozenset[Ref]:
    """Makes the document's companions what they should be; which these are."""
    wanted = KINDS[document.kind].companions(document)
    for ref, values in wanted.items():
        known = find(connection, ref)
        if known is None:
            made = create(connection, KINDS[ref.kind], ref.name, document.owner, values, actor=actor)
            keep(connection, made.uid, {OF: document.uid})
        elif known.kept.get(OF) == document.uid:
            change(connection, known, values, actor=actor)
    return frozenset(wanted)


def leave(
    connection: Connection, document: Document, staying: frozenset[Ref], remove: Callable[[Document], None]
) -> None:
    """Removes those that came with the document, and are not to stay."""
    for known in that_came_with(connection, document, but=staying):
        remove(known)


def that_came_with(
    connection: Connection, document: Document, *, but: frozenset[Ref] = frozenset()
) -> list[Document]:
    """The living documents that came with it, without those that are named."""
    refs = (ref for ref in KINDS[document.kind].references(document) if ref.weak and ref not in but)
    found = (find(connection, ref) for ref in refs)
    return [known for known in found if known is not None and known.kept.get(OF) == document.uid]


def coming_with(connection: Connection, found: Collection[Document]) -> list[Document]:
    """The living companions of documents, without those that are among these."""
    known = {document.uid for document in found}
    wanted = dict.fromkeys(ref for d in found if not d.deleted for ref in KINDS[d.kind].companions(d))
    there = (find(connection, ref) for ref in wanted)
    return [document for document in there if document is not None and document.uid not in known]


def refuse_removal(connection: Connection, document: Document) -> None:
    """Raises Conflict when it is the companion of a document that still wants it."""
    host = _host(connection, document)
    if host is not None:
        raise Conflict(f"it comes with {_named(host)} and goes with it: {_off(host)}", code="companion")


def refuse_change(connection: Connection, before: Document, after: Document) -> None:
    """Raises Conflict when a companion is changed where another document decides what it is."""
    host = _host(connection, before)
    if host is None:
        return
    decided = KINDS[host.kind].companions(host)[before.ref]
    old, new, now = dump(before.spec), dump(after.spec), dump(KINDS[before.kind].schema(**decided))
    wrong = sorted(name for name in decided if new[name] not in (old[name], now[name]))
    if wrong:
        follow = f"{', '.join(wrong)}: what it says there follows {_named(host)}"
        raise Conflict(f"{follow}: change that one, or {_off(host)}", code="companion", fields=wrong)


def decided_elsewhere(connection: Connection, document: Document) -> frozenset[str]:
    """The fields of a companion that are what the document says which it came with; none of any other document."""
    host = _host(connection, document)
    return frozenset(KINDS[host.kind].companions(host)[document.ref]) if host else frozenset()


def _host(connection: Connection, document: Document) -> Document | None:
    """What a companion came with, as long as that wants it."""
    uid = document.kept.get(OF)
    found = by_uid(connection, [uid]) if uid else []
    return next((d for d in found if not d.deleted and document.ref in KINDS[d.kind].companions(d)), None)


def _named(host: Document) -> str:
    return f"the {KINDS[host.kind].noun} {host.name}"


def _off(host: Document) -> str:
    return f"switch {KINDS[host.kind].companions_by} off there"
