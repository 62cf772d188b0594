"""Writing documents as somebody: each change allowed, made, and told to the workers; or only rehearsed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, bindparam, select

from api import access
from api.auth import Principal
from api.visibility import visible
from state import store
from state.certificates.companions import refuse_change, refuse_removal, that_came_with
from state.document import Document, Ref
from state.errors import Fault, GhostError, Invalid, NotFound, Stale
from state.kind import Kind
from state.kinds import KINDS
from state.names import with_a_labels
from state.reading import by_uid, find, from_row, owned_by, parts_of
from state.tables import documents

_T = TypeVar("_T")
_LIVING = select(documents).where(documents.c.uid == bindparam("of_uid"), documents.c.deleted_at.is_(None))


@dataclass(frozen=True, slots=True)
class Written:
    """A write: the document as it was and as it is now, and what was deleted with it.

    `masked` are fields that were written and are never shown; `owner` is that of a new document; `place` is where its
    fields are in the request, where that is not at the top. `handed`: something was handed over with it. `withheld`:
    it came of what somebody wrote who may not know of it.
    """

    before: Document | None
    after: Document
    also: tuple[Document, ...] = ()
    masked: tuple[str, ...] = ()
    owner: Document | None = None
    place: str = ""
    handed: bool = False
    withheld: bool = False

    @property
    def all(self) -> tuple[Document, ...]:
        return (*self.also, self.after)


@dataclass(frozen=True, slots=True)
class New:
    """A document to make. `faults` are those already found in what was asked for."""

    kind: Kind
    name: str
    owner: str
    values: Mapping[str, Any]
    host: str | None = None
    faults: Sequence[Fault] = ()
    whole: Document | None = None


def create(connection: Connection, principal: Principal, new: New, *, apart: bool = True) -> Written:
    """Makes the document; `apart` as in the store. Raises Invalid with all faults at once, Forbidden, Conflict."""
    access.check_create(principal, new.kind, new.owner, new.values, new.host)

    def make() -> store.Created:
        return store.create_owned(
            connection, new.kind, new.name, new.owner, new.values,
            actor=principal.name, target=new.host, whole=new.whole, apart=apart,
        )  # fmt: skip

    created = with_faults(new.faults, make)
    access.check_limits(principal, new.kind, None, created.document.spec)
    return Written(None, created.document, owner=created.owner)


def change(
    connection: Connection,
    principal: Principal,
    document: Document,
    values: Mapping[str, Any],
    *,
    merge: bool = True,
    generation: int | None = None,
    faults: Sequence[Fault] = (),
    named: Mapping[str, Any] | None = None,
    apart: bool = True,
) -> Written:
    """Changes the document; `named` are the fields asked for, where `values` holds more than those."""
    kind = KINDS[document.kind]
    access.check_change(principal, kind, document, values if named is None else named)

    def make() -> Document:
        return store.change(
            connection, document, values,
            actor=principal.name, merge=merge, generation=generation, apart=apart,
        )  # fmt: skip

    changed = with_faults(faults, make)
    access.check_limits(principal, kind, document.spec, changed.spec)
    refuse_change(connection, document, changed)
    return Written(document, changed)


def remove(
    connection: Connection,
    principal: Principal,
    document: Document,
    *,
    confirmed: bool = True,
    generation: int | None = None,
) -> Written:
    """Turns the document, its parts, what came with it, and what a user owns, into tombstones."""
    kind = KINDS[document.kind]
    access.check_remove(principal, kind, document)
    if generation is not None and document.generation != generation:
        raise Stale(f"it is at generation {document.generation} now: read it again")
    refuse_removal(connection, document)
    owned = owned_by(connection, document) if kind.owns else _going_with(connection, document)
    store.remove(connection, document, actor=principal.name, confirmed=confirmed)
    left = {each.uid: each for each in by_uid(connection, [document.uid, *(d.uid for d in owned)])}
    gone = datetime.now(UTC)
    also = tuple(left.get(each.uid, replace(each, deleted_at=gone)) for each in owned)
    return Written(document, left.get(document.uid, replace(document, deleted_at=gone)), also)


def _going_with(connection: Connection, document: Document) -> list[Document]:
    return [*parts_of(connection, [document.uid]), *that_came_with(connection, document)]


def with_faults(faults: Sequence[Fault], make: Callable[[], _T]) -> _T:
    """What `make` gives, unless there are faults: those known and those it finds, one for each field."""
    try:
        made = make()
    except Invalid as error:
        known = {fault.field for fault in faults}
        raise Invalid([*faults, *(fault for fault in error.faults if fault.field not in known)]) from None
    except GhostError:
        if faults:
            raise Invalid(faults) from None
        raise
    if faults:
        raise Invalid(faults)
    return made


def visible_document(connection: Connection, principal: Principal, kind: Kind, uid: str) -> Document:
    """The living document, if it is the principal's to see. Raises NotFound."""
    row = connection.execute(_LIVING, {"of_uid": uid}).mappings().one_or_none()
    if row is None or row["kind"] != kind.name or not _sees(connection, principal, kind, uid):
        raise missing(kind, uid)
    return from_row(row)


def visible_by_name(connection: Connection, principal: Principal, kind_name: str, name: str) -> Document:
    """The living document of this kind and name, in either form, if it is the principal's to see. Raises NotFound."""
    kind = KINDS.get(kind_name)
    found = find(connection, Ref(kind.name, with_a_labels(name))) if kind and "\0" not in name else None
    if kind is None or found is None or not _sees(connection, principal, kind, found.uid):
        raise NotFound("Resource not found", resource="document", id=f"{kind_name}/{name}")
    return found


def _sees(connection: Connection, principal: Principal, kind: Kind, uid: str) -> bool:
    if principal.role == "admin":
        return True
    query = select(documents.c.uid).where(documents.c.uid == uid, visible(principal, kind))
    return connection.execute(query).first() is not None


def missing(kind: Kind, uid: str) -> NotFound:
    return NotFound("Resource not found", resource=kind.noun, id=uid)
