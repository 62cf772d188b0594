"""What an order is bound to, and whether what it is for is still wanted when it is there."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from reconciler.certificates.answers import Failed
from state.claims import of_others
from state.document import Document
from state.errors import NotFound
from state.kinds.certificate import asked_of, is_to_be_had
from state.reading import get

GONE, CHANGED = "Gone", "Changed"


def _nothing(_: Sequence[str]) -> None:
    """Whatever it is."""


@dataclass(frozen=True, slots=True)
class Terms:
    """`there` are names that there is a good one for: where no other name is left, no second one is had. It has to be
    for `musts`. Each order is put to `permit` before it is made, and to `confirm` before it is finalized: both raise
    Failed."""

    there: tuple[str, ...] = ()
    musts: tuple[str, ...] = ()
    permit: Callable[[Sequence[str]], None] = _nothing
    confirm: Callable[[Sequence[str]], None] = _nothing


ANY = Terms()


def present(connection: Connection, uid: str) -> Document:
    """The certificate as it is now. Raises Failed when it is gone."""
    try:
        document = get(connection, uid)
    except NotFound:
        raise Failed(GONE, "the certificate was deleted") from None
    if document.deleted:
        raise Failed(GONE, "the certificate was deleted")
    return document


def still_wanted(connection: Connection, then: Document, names: Iterable[str]) -> Document:
    """The certificate as it is now. Raises Failed when it is gone, when it is not to be had from the same authority any
    more, and when some of these names became another tenant's while it was asked for."""
    document = present(connection, then.uid)
    if not is_to_be_had(document) or asked_of(document)[0] != asked_of(then)[0]:
        raise Failed(CHANGED, "something else was asked for meanwhile")
    taken = of_others(connection, document.owner, names)
    if taken:
        raise Failed(CHANGED, f"{', '.join(taken)} became another tenant's meanwhile")
    return document
