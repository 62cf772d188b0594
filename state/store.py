"""Writing documents: each spec change with its revision, claims, references and call for a look, in one transaction."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

from sqlalchemy import Connection, delete, insert, update

from state.allotment import check_limit, next_number, place
from state.certificates.companions import accompany, leave
from state.claims import lock, release
from state.document import Document, Ref
from state.errors import Conflict, NotFound, Stale
from state.journal.event import CREATED, UPDATED, of_document
from state.journal.events import emit
from state.kind import Kind, Values
from state.kinds import EVERY, KINDS
from state.parts import find_whole, free_name
from state.reading import around, get, owned_by, parts_of, referring_to, related
from state.recording import columns, record, touch_dependents
from state.spec import Spec
from state.tables import documents, refs
from state.taking import take_names
from state.tombstones import bury, confirm
from state.tracing import current_request
from state.validation import canonical, dump, fixed_fields, refuse_fixed, validated
from state.zones.copies import follow

_INSERT = insert(documents)


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
    whole: Document | None = None,
    apart: bool = True,
) -> Document:
    """A new document. Raises Invalid with every fault, Conflict for a name taken, Forbidden for a full plan,
    NotFound when its owner is gone.

    `reserved` admits a name that users may not choose, such as the administrator's. A part of a `whole` without a
    name is given one. Unless it is written `apart`, who writes looks at clashes of parts when all are written.
    """
    return create_owned(
        connection, kind, name, owner, values,
        actor=actor, target=target, reserved=reserved, whole=whole, apart=apart,
    ).document  # fmt: skip


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
    whole: Document | None = None,
    apart: bool = True,
) -> Created:
    """The same as `create`, with the owner."""
    if whole is not None and not name:
        name = free_name(connection, kind, values, whole)
    whose, ref = Ref("User", owner), Ref(kind.name, canonical(kind, name, reserved=reserved))
    lock(connection, f"owner/{owner}")
    lock(connection, str(ref))
    found = around(connection, ref, owner)
    lookup = related(connection, {whose: None, ref: None} | {d.ref: d for d in found if not d.deleted})
    user = lookup(whose)
    if kind.placed and not kind.owns and user is None:
        raise NotFound(f"user {owner!r} does not exist", resource="user", id=owner)
    name, spec = validated(kind, name, owner, values, lookup, None, reserved=reserved)
    whole = find_whole(connection, kind, name, owner)
    if lookup(ref) is not None:
        raise Conflict(f"{kind.name} {name!r} exists already", code=f"{kind.name_field}_taken")
    check_limit(connection, kind, owner, lookup)
    lost = _lost(kind, found, spec)
    if lost is not None:
        return Created(_restored(connection, kind, lost, spec, actor, whole, apart=apart), user)
    now = datetime.now(UTC)
    document = Document(
        uid=str(uuid4()),
        kind=kind.name,
        name=name,
        owner=owner,
        target=whole.target if whole else place(connection, kind, spec, owner, lookup, target),
        spec=spec,
        number=next_number(connection, kind),
        created_at=now,
        updated_at=now,
        request_id=current_request(),
        whole=whole.uid if whole else "",
    )
    connection.execute(_INSERT, columns(document) | {"pending": bool(document.target)})
    take_names(connection, document, kind)
    record(connection, document, kind, actor, apart=apart)
    told = of_document(document, CREATED)
    emit(connection, replace(told, manager=user.owner) if user and told.owner == user.name else told)
    accompany(connection, document, actor, create, change)
    follow(connection, document)
    return Created(document, user)


def change(
    connection: Connection,
    document: Document,
    values: Values,
    *,
    actor: str,
    merge: bool = True,
    generation: int | None = None,
    apart: bool = True,
) -> Document:
    """The document with `values` (merged over the old ones, or in their place); itself when nothing differs.

    `apart` as for `create`. Raises Invalid, Conflict, or Stale when it is no longer at `generation`.
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
    connection.execute(update(documents).where(row).values(**columns(changed), pending=bool(changed.target)))
    release(connection, [changed.uid])
    take_names(connection, changed, kind)
    connection.execute(delete(refs).where(refs.c.uid == changed.uid))
    record(connection, changed, kind, actor, apart=apart)
    emit(connection, of_document(changed, UPDATED))
    staying = accompany(connection, changed, actor, create, change)
    leave(connection, changed, staying, partial(remove, connection, actor=actor))
    follow(connection, changed)
    return changed


def remove(connection: Connection, document: Document, *, actor: str, confirmed: bool = True) -> None:
    """Turns the document, its parts, and what a user owns, into tombstones; their names are free again at once.

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
    owned = owned_by(connection, document) if kind.owns else parts_of(connection, [document.uid])
    if any(KINDS[d.kind].owns for d in owned):
        raise Conflict(
            f"{document.name!r} still has users of its own: delete or move them first", code="in_use"
        )
    mine = {document.uid, *(d.uid for d in owned)}
    referring = referring_to(connection, document)
    if any(not weak and each.uid not in mine for each, weak in referring):
        raise Conflict(f"{kind.name} {document.name!r} is in use", code="in_use")
    for each in (*owned, current):
        bury(connection, each, actor, confirmed=confirmed)
        touch_dependents(connection, each)
    leave(connection, current, frozenset(), partial(remove, connection, actor=actor, confirmed=confirmed))
    for each, _ in referring:
        if not each.deleted and each.uid not in mine and current.ref in EVERY[each.kind].companions(each):
            accompany(connection, each, actor, create, change)


def _lost(kind: Kind, found: Iterable[Document], spec: Spec) -> Document | None:
    """The latest of these tombstones, if it may have this spec: its source may have lost it by mistake."""
    latest = max(((d.deleted_at, d.uid, d) for d in found if d.deleted_at is not None), default=None)
    if latest is None or fixed_fields(kind, dump(latest[-1].spec), dump(spec)):
        return None
    return latest[-1]


def _restored(
    connection: Connection,
    kind: Kind,
    lost: Document,
    spec: Spec,
    actor: str,
    whole: Document | None,
    *,
    apart: bool,
) -> Document:
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
        whole=whole.uid if whole else "",
    )
    row = documents.c.uid == document.uid
    connection.execute(update(documents).where(row).values(**columns(document), pending=bool(lost.target)))
    take_names(connection, document, kind)
    record(connection, document, kind, actor, apart=apart)
    emit(connection, of_document(document, CREATED))
    accompany(connection, document, actor, create, change)
    follow(connection, document)
    return document
