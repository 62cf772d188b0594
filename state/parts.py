"""Parts of documents as they are written: which whole they are in, what they are called, what they clash with."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from state.claims import lock
from state.document import Document, Ref
from state.errors import Fault, Invalid
from state.kind import Kind, PartOf, Values
from state.kinds import KINDS
from state.reading import find, from_row
from state.statuses import wake
from state.stored_json import sound
from state.tables import IS_PART, documents


def find_whole(connection: Connection, kind: Kind, name: str, owner: str) -> Document | None:
    """The whole that a part of this name belongs to, locked until the end; none for what is no part of anything.

    Raises Invalid when there is no such document of the owner's.
    """
    if kind.part_of is None:
        return None
    ref = Ref(kind.part_of.kind, kind.part_of.whole(name))
    lock(connection, f"{ref.kind}/{ref.name}")
    whole = find(connection, ref)
    if whole is None or whole.owner != owner:
        raise Invalid(
            [Fault(kind.name_field, f"there is no {ref.kind} {ref.name!r} of {owner!r}'s to be in")]
        )
    return whole


def free_name(connection: Connection, kind: Kind, values: Values, whole: Document) -> str:
    """The first name that no part with these values has yet."""
    assert kind.part_of is not None
    names = kind.part_of.names(values, whole.name)
    return next(name for name in names if find(connection, Ref(kind.name, name)) is None)


def refuse_clashes(connection: Connection, written: Iterable[Document]) -> None:
    """Raises Invalid when one of these parts cannot be beside the others of its whole."""
    faults = [fault for document in written for fault in clashes(connection, document)]
    if faults:
        raise Invalid(faults)


def clashes(connection: Connection, document: Document) -> list[Fault]:
    """What speaks against a part that was just written beside the others of its whole."""
    part_of = KINDS[document.kind].part_of
    if part_of is None:
        return []
    return [Fault(*fault) for fault in part_of.clashes(document, _beside(connection, document, part_of))]


def _beside(connection: Connection, document: Document, part_of: PartOf) -> list[Document]:
    """The others that it could clash with."""
    same = [
        sound(documents.c.spec)[name].as_string() == str(getattr(document.spec, name))
        for name in part_of.beside
    ]
    living = (documents.c.deleted_at.is_(None), documents.c.kind == document.kind)
    others = (documents.c.whole == document.whole, IS_PART, documents.c.uid != document.uid)
    return [
        from_row(row)
        for row in connection.execute(select(documents).where(*others, *living, *same)).mappings()
    ]


def touch_whole(connection: Connection, document: Document) -> None:
    """Makes the whole that it is a part of pending."""
    if document.whole:
        wake(connection, [document.whole])
