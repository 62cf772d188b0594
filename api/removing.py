"""What a posted set takes away: what its documents take the place of, and, with `prune`, what is not among them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, select

from api import access, writes
from api.auth import Principal
from api.posted_set import PostedSet
from api.visibility import visible_documents
from api.writes import Written
from state.document import OF, Document
from state.kinds import KINDS
from state.reading import from_row, parts_of
from state.tables import documents
from state.tombstones import confirm


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a posted set came to: the writes, what was deleted, and out of how many."""

    written: tuple[Written, ...] = ()
    removals: tuple[str, ...] = ()
    deleted: int = 0
    scope: int = 0
    base: Mapping[str, int] = field(default_factory=dict)


def replaced(
    connection: Connection,
    principal: Principal,
    outcome: Outcome,
    inside: Sequence[Document],
    removals: Sequence[str] | None,
) -> Outcome:
    """What was written inside of its whole takes the place of what is there in the same sets, and of what cannot be
    beside it."""
    kept, sets = {one.after.uid for one in outcome.written}, {_set_of(document) for document in inside}
    rivals: dict[tuple[str, ...], list[Document]] = {}
    for document in inside:
        rivals.setdefault(_place_of(document), []).append(document)
    there = parts_of(connection, sorted({document.whole for document in inside if document.whole}))
    others = [d for d in there if d.uid not in kept]
    gone = [d for d in others if _set_of(d) in sets or _clashes(d, rivals.get(_place_of(d), ()))]
    gone = [d for d in gone if removals is None or d.uid in removals]
    removed = [writes.remove(connection, principal, document) for document in gone]
    base = {**outcome.base, **{d.uid: d.generation for d in gone}}
    return replace(
        outcome, written=(*outcome.written, *removed), removals=tuple(d.uid for d in gone), base=base
    )


def pruned(
    connection: Connection,
    principal: Principal,
    posted: PostedSet,
    outcome: Outcome,
    removals: Sequence[str] | None,
) -> Outcome:
    """Without the living documents of the posted kinds that are not among those posted; `removals` are the only ones
    that may be deleted, when that was decided before."""
    kept = {one.after.uid for one in outcome.written}
    scope = _scope(connection, principal, posted)
    gone = [d for d in scope if d.uid not in kept and OF not in d.kept]
    gone = [d for d in gone if access.may_remove(principal, KINDS[d.kind], d)]
    gone = [d for d in gone if removals is None or d.uid in removals]
    written, deleted = list(outcome.written), set[str]()
    for document in _owned_first(gone):
        one = writes.remove(connection, principal, document, confirmed=False)
        deleted |= {each.uid for each in one.all}
        written.append(one)
    if len(deleted) <= posted.allow_deletes:
        written = [_confirmed(connection, one) if one.after.deleted else one for one in written]
    base = {**outcome.base, **{d.uid: d.generation for d in gone}}
    size = len(scope) + len(deleted - {d.uid for d in scope})
    removals = (*outcome.removals, *(d.uid for d in gone))
    return Outcome(tuple(written), removals, len(deleted), size, base)


def verdict(deleted: int, scope: int, meant: int, what: str) -> dict[str, Any]:
    """Whether so many of what there is may go: a few may by themselves, many only when their number is said."""
    budget = max(3, scope // 4, meant)
    if deleted <= budget:
        return {"allowed": True, "message": ""}
    message = (
        f"{deleted} of {scope} {what} would be deleted, {budget} may be: "
        f"post them, or say allow_deletes: {deleted}"
    )
    return {"allowed": False, "message": message}


def depth_of(owner: str | None, owner_of: Mapping[str, str | None]) -> int:
    """How many owners there are above, of those that `owner_of` knows."""
    above = set[str]()
    while owner is not None and owner in owner_of and owner not in above:
        above.add(owner)
        owner = owner_of[owner]
    return len(above)


def _set_of(part: Document) -> tuple[str, ...]:
    """What parts have in common that are one set of their whole."""
    part_of = KINDS[part.kind].part_of
    return _shared(part, part_of.sets if part_of else ())


def _place_of(part: Document) -> tuple[str, ...]:
    """What parts have in common that could clash."""
    part_of = KINDS[part.kind].part_of
    return _shared(part, part_of.beside if part_of else ())


def _shared(part: Document, fields: Sequence[str]) -> tuple[str, ...]:
    return (part.kind, part.whole, *(str(vars(part.spec).get(name)) for name in fields))


def _clashes(part: Document, written: Sequence[Document]) -> bool:
    """Whether it cannot be beside one of these."""
    part_of = KINDS[part.kind].part_of
    return part_of is not None and any(part_of.clashes(each, [part]) for each in written)


def _owned_first(found: Sequence[Document]) -> list[Document]:
    """The documents, what is owned before its owners."""
    owner_of = {each.name: each.owner for each in found if KINDS[each.kind].owns}
    return sorted(found, key=lambda each: (-KINDS[each.kind].rank, -depth_of(each.owner, owner_of)))


def _confirmed(connection: Connection, one: Written) -> Written:
    """A deletion that somebody has confirmed, with all that goes with it."""
    for document in one.all:
        confirm(connection, document)
    also = tuple(replace(document, confirmed=True) for document in one.also)
    return replace(one, after=replace(one.after, confirmed=True), also=also)


def _scope(connection: Connection, principal: Principal, posted: PostedSet) -> list[Document]:
    """The living documents of the posted kinds and owner that the principal sees."""
    kinds = sorted({each.kind for each in posted.documents})
    query = select(documents).where(documents.c.kind.in_(kinds), documents.c.deleted_at.is_(None))
    if posted.owner is not None:
        query = query.where(documents.c.owner == posted.owner)
    if posted.host is not None:
        query = query.where(documents.c.target == posted.host)
    rows = connection.execute(query.where(visible_documents(principal))).mappings()
    return [from_row(row) for row in rows]
