"""Documents that come with another one: made, changed and deleted in the transaction in which that is.

Which one it came with is remembered with it. One of the same name that somebody wrote is theirs, and left alone.
"""

from collections.abc import Callable
from typing import Protocol

from sqlalchemy import Connection

from state.document import Document, Ref
from state.keeping import keep
from state.kind import Kind, Values
from state.kinds import KINDS
from state.reading import find

OF = "of"
"""Under which name a companion remembers the uid of whom it came with."""


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
    for ref in KINDS[document.kind].references(document):
        known = find(connection, ref) if ref.weak and ref not in staying else None
        if known is not None and known.kept.get(OF) == document.uid:
            remove(known)
