"""Writing documents: each spec change with its revision, claims, references and call for a look, in one transaction."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from state.allotment import check_limit, next_number, place
from state.claims import claim, lock, release
from state.companions import accompany, leave
from state.document import Document, Ref
from state.errors import Conflict, NotFound, Stale
from state.event import CREATED, UPDATED, of_document
from state.events import emit
from state.kind import Kind, Spec, Values
from state.kinds import KINDS
from state.reading import around, from_row, get, related
from state.statuses import save_statuses, unplaced, wake
from state.tables import documents, refs, revisions
from state.tombstones import bury, confirm
from state.tracing import current_request
from state.validation import canonical, dump, fixed_fields, refuse_fixed, validated

_INSERT, _INSERT_REVISION, _INSERT_REFS = insert(documents), insert(revisions), insert(refs)
_HIGHEST = max(kind.rank for kind in KINDS.values())
_DEPENDING = select(refs.c.uid).where(
    refs.c.kind == bindparam("of_kind"), refs.c.name == bindparam("of_name")
)
_TOUCH = (
    update(documents)
    .where(documents.c.uid.in_(_DEPENDING), documents.c.deleted_at.is_(None))
    .values(wanted=documents.c.wanted + 1, pending=documents.c.target != "")
)


@dataclass(frozen=True, slots=True)
class Created:
    """A new document, and the user it belongs to; none where there is no such user."""

    document: Document
    owner: Document | None


def create(
    connection: Connection,
    kind: Kind,
    name: str,
    owner: str,
    values: Values,
    *,
    actor: str,
    target: str | None = None,
    reserved: bool = False,
) -> Document:
    """A new document. Raises Invalid with every fault, Conflict for a name taken, Forbidden for a full plan,
    NotFound when its owner is gone.

    `reserved` admits a name that users may not choose, such as the administrator's.
    """
    return create_owned(
        connection, kind, name, owner, values, actor=actor, target=target, reserved=reserved
    ).document


def create_owned(
    connection: Connection,
    kind: Kind,
    name: str,
    owner: str,
    values: Values,
    *,
    actor: str,
    target: str | None = None,
    reserved: bool = False,
) -> Created:
    """The same as `create`, with the owner."""
    whose, ref = Ref("User", owner), Ref(kind.name, canonical(kind, name, reserved=reserved))
    lock(connection, f"owner/{owner}")
    lock(connection, str(ref))
    found = around(connection, ref, owner)
    lookup = related(connection, {whose: None, ref: None} | {d.ref: d for d in found if not d.deleted})
    user = lookup(whose)
    if kind.placed and not kind.owns and user is None:
        raise NotFound(f"user {owner!r} does not exist", resource="user", id=owner)
    name, spec = validated(kind, name, owner, values, lookup, None, reserved=reserved)
    if lookup(ref) is not None:
        raise Conflict(f"{kind.name} {name!r} exists already", code=f"{kind.name_field}_taken")
    check_limit(connection, kind, owner, lookup)
    lost = _lost(kind, found, spec)
    if lost is not None:
        return Created(_restored(connection, kind, lost, spec, actor), user)
    now = datetime.now(UTC)
    document = Document(
        uid=str(uuid4()),
        kind=kind.name,
        name=name,
        owner=owner,
        target=place(connection, kind, spec, owner, lookup, target),
        spec=spec,
        number=next_number(connection, kind),
        created_at=now,
        updated_at=now,
        request_id=current_request(),
    )
    connection.execute(_INSERT, _columns(document) | {"pending": bool(document.target)})
    claim(connection, document, kind.claims(document))
    _record(connection, document, kind, actor)
    told = of_document(document, CREATED)
    emit(connection, replace(told, manager=user.owner) if user and told.owner == user.name else told)
    accompany(connection, document, actor, create, change)
    return Created(document, user)


def change(
    connection: Connection,
    document: Document,
    values: Values,
    *,
    actor: str,
    merge: bool = True,
    generation: int | None = None,
) -> Document:
    """The document with `values` (merged over the old ones, or in their place); itself when nothing differs.

    Raises Invalid, Conflict, or Stale when it is no longer at `generation`.
    """
    kind = KINDS[document.kind]
    lock(connection, f"owner/{document.owner}")
    lock(connection, f"{kind.name}/{document.name}")
    current = get(connection, document.uid)
    if current.deleted:
        raise NotFound(f"{kind.name} {document.name!r} does not exist")
    if generation is not None and current.generation != generation:
        raise Stale(f"{kind.name} {document.name!r} is at generation {current.generation} now: read it again")
    old = dump(current.spec)
    wanted = {**old, **values} if merge else values
    _, spec = validated(
        kind, current.name, current.owner, wanted, related(connection), current.spec, reserved=True
    )
    if dump(spec) == old:
        return current
    refuse_fixed(kind, old, dump(spec))
    changed = replace(
        current,
        spec=spec,
        generation=current.generation + 1,
        wanted=current.wanted + 1,
        updated_at=datetime.now(UTC),
        request_id=current_request(),
    )
    row = documents.c.uid == changed.uid
    connection.execute(update(documents).where(row).values(**_columns(changed), pending=bool(changed.target)))
    release(connection, [changed.uid])
    claim(connection, changed, kind.claims(changed))
    connection.execute(delete(refs).where(refs.c.uid == changed.uid))
    _record(connection, changed, kind, actor)
    emit(connection, of_document(changed, UPDATED))
    staying = accompany(connection, changed, actor, create, change)
    leave(connection, changed, staying, partial(remove, connection, actor=actor))
    return changed


def remove(connection: Connection, document: Document, *, actor: str, confirmed: bool = True) -> None:
    """Turns the document, and what a user owns, into tombstones; their names are free again at once.

    A tombstone that nobody had confirmed yet is confirmed. Raises Conflict when another document still refers to it.
    """
    kind = KINDS[document.kind]
    lock(connection, f"owner/{document.owner}", *((f"owner/{document.name}",) if kind.owns else ()))
    lock(connection, f"{kind.name}/{document.name}")
    current = get(connection, document.uid)
    if current.deleted and (current.confirmed or not confirmed):
        raise NotFound(f"{kind.name} {document.name!r} does not exist")
    if current.deleted:
        confirm(connection, current)
        return
    owned = _owned(connection, document) if kind.owns else []
    if any(KINDS[d.kind].owns for d in owned):
        raise Conflict(
            f"{document.name!r} still has users of its own: delete or move them first", code="in_use"
        )
    mine = {document.uid, *(d.uid for d in owned)}
    if _referring(connection, document) - mine:
        raise Conflict(f"{kind.name} {document.name!r} is in use", code="in_use")
    for each in (*owned, current):
        bury(connection, each, actor, confirmed=confirmed)
        _touch_dependents(connection, each)
    leave(connection, current, frozenset(), partial(remove, connection, actor=actor, confirmed=confirmed))


def _referring(connection: Connection, document: Document) -> set[str]:
    """Those that refer to the document and cannot be without it."""
    found = select(refs.c.uid).where(refs.c.kind == document.kind, refs.c.name == document.name)
    rows = connection.execute(select(documents).where(documents.c.uid.in_(found))).mappings()
    others = [from_row(row) for row in rows]
    return {
        each.uid
        for each in others
        if any(ref == document.ref and not ref.weak for ref in KINDS[each.kind].references(each))
    }


def _lost(kind: Kind, found: Iterable[Document], spec: Spec) -> Document | None:
    """The latest of these tombstones, if it may have this spec: its source may have lost it by mistake."""
    latest = max(((d.deleted_at, d.uid, d) for d in found if d.deleted_at is not None), default=None)
    if latest is None or fixed_fields(kind, dump(latest[-1].spec), dump(spec)):
        return None
    return latest[-1]


def _restored(connection: Connection, kind: Kind, lost: Document, spec: Spec, actor: str) -> Document:
    """A document that its source had lost and has again: the same one, with what was applied for it."""
    document = replace(
        lost,
        spec=spec,
        generation=lost.generation + 2,
        wanted=lost.wanted + 1,
        updated_at=datetime.now(UTC),
        deleted_at=None,
        confirmed=True,
        request_id=current_request(),
    )
    row = documents.c.uid == document.uid
    connection.execute(update(documents).where(row).values(**_columns(document), pending=bool(lost.target)))
    claim(connection, document, kind.claims(document))
    _record(connection, document, kind, actor)
    emit(connection, of_document(document, CREATED))
    accompany(connection, document, actor, create, change)
    return document


def _record(connection: Connection, document: Document, kind: Kind, actor: str) -> None:
    """The revision and the references both ways of a document just written."""
    spec, at = dump(document.spec), document.updated_at
    revision = {
        "uid": document.uid,
        "generation": document.generation,
        "spec": spec,
        "actor": actor,
        "at": at,
    }
    connection.execute(_INSERT_REVISION, revision)
    rows = [{"uid": document.uid, "kind": ref.kind, "name": ref.name} for ref in kind.references(document)]
    if rows:
        connection.execute(_INSERT_REFS, rows)
    if not document.target:
        save_statuses(connection, [unplaced(document, kind)])
    _touch_dependents(connection, document)


def touch(connection: Connection, document: Document) -> None:
    """Calls for a look at the document and at what refers to it, whose specs are as they were."""
    wake(connection, [document.uid])
    _touch_dependents(connection, document)


def _touch_dependents(connection: Connection, document: Document) -> None:
    """What refers to it has a higher rank."""
    if KINDS[document.kind].rank < _HIGHEST:
        connection.execute(_TOUCH, {"of_kind": document.kind, "of_name": document.name})


def _owned(connection: Connection, document: Document) -> list[Document]:
    alive = documents.c.deleted_at.is_(None)
    query = select(documents).where(
        documents.c.owner == document.name, alive, documents.c.uid != document.uid
    )
    return [from_row(row) for row in connection.execute(query).mappings()]


_APART = {"spec", "pending", "kept", "sealed"}
_PLAIN = [column.name for column in documents.columns if column.name not in _APART]


def _columns(document: Document) -> dict[str, Any]:
    return {name: getattr(document, name) for name in _PLAIN} | {"spec": dump(document.spec)}
