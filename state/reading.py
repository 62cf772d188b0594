"""Reading documents: one, by name, those of a target, those that are waiting."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, or_, select, union_all

from state.compiling import Related
from state.document import Document, Ref
from state.errors import NotFound
from state.kinds import EVERY, KINDS
from state.tables import IS_PART, PENDING, documents, refs

_NOTHING: Mapping[str, Any] = {}
_COLUMNS = tuple(column.name for column in documents.c)
_ALIVE = documents.c.deleted_at.is_(None)
_FIND = select(documents).where(
    documents.c.kind == bindparam("of_kind"), documents.c.name == bindparam("of_name"), _ALIVE
)

_users = documents.alias("users")
_OWNER = (_users.c.kind == "User") & (_users.c.name == bindparam("of_owner")) & _users.c.deleted_at.is_(None)
_LOST = (
    (documents.c.owner == bindparam("of_owner"))
    & documents.c.deleted_at.is_not(None)
    & documents.c.confirmed.is_(False)
)
_NAMED = (documents.c.kind == bindparam("of_kind")) & (documents.c.name == bindparam("of_name"))
_AROUND = union_all(
    select(_users).where(_OWNER),
    select(documents)
    .join(refs, (refs.c.kind == documents.c.kind) & (refs.c.name == documents.c.name))
    .join(_users, _users.c.uid == refs.c.uid)
    .where(_OWNER, _ALIVE),
    select(documents).where(_NAMED, _ALIVE),
    select(documents).where(_NAMED, _LOST),
)


def from_row(row: Mapping[Any, Any]) -> Document:
    """A stored row as a document; what was stored was valid, so it is not validated again."""
    return _document([row[name] for name in _COLUMNS])


def _document(row: Sequence[Any]) -> Document:
    """Of values in the order of the table's columns: by their names it takes longer, and there are many."""
    uid, kind, name, owner, target, spec, generation, wanted, _, number, confirmed, *others = row
    request_id, kept, sealed, whole, created, updated, deleted = others
    stored, known = EVERY[kind].schema.stored(spec), kept if isinstance(kept, dict) else _NOTHING
    counted, times = (generation, wanted, number), (created, updated, deleted)
    return Document(
        uid, kind, name, owner, target, stored, *counted, *times, confirmed, request_id, known, sealed, whole
    )


def get(connection: Connection, uid: str) -> Document:
    """The document or tombstone with this uid. Raises NotFound."""
    row = connection.execute(select(documents).where(documents.c.uid == uid)).mappings().one_or_none()
    if row is None:
        raise NotFound("no such object", id=uid)
    return from_row(row)


def find(connection: Connection, ref: Ref) -> Document | None:
    """The living document of this kind and name."""
    row = connection.execute(_FIND, {"of_kind": ref.kind, "of_name": ref.name}).mappings().one_or_none()
    return None if row is None else from_row(row)


def around(connection: Connection, ref: Ref, owner: str) -> list[Document]:
    """What a new document comes upon: its owner and what that one refers to, the living document of its name, and the
    owner's tombstones of that name that nobody confirmed."""
    wanted = {"of_kind": ref.kind, "of_name": ref.name, "of_owner": owner}
    return [from_row(row) for row in connection.execute(_AROUND, wanted).mappings()]


def related(connection: Connection, known: Mapping[Ref, Document | None] | None = None) -> Related:
    """A look-up of what a document refers to, each asked for once, and what is known not at all."""
    seen: dict[Ref, Document | None] = dict(known or {})

    def look_up(ref: Ref) -> Document | None:
        if ref not in seen:
            seen[ref] = find(connection, ref)
        return seen[ref]

    return look_up


def of_target(connection: Connection, target: str) -> list[Document]:
    """Every document and tombstone of the target."""
    return _all(connection, select(documents).where(documents.c.target == target))


def of_kind(connection: Connection, kind: str, target: str) -> list[Document]:
    """The living documents of this kind on the target."""
    mine = (documents.c.target == target) & (documents.c.kind == kind)
    return _all(connection, select(documents).where(mine, _ALIVE))


def pending(connection: Connection, target: str, limit: int | None = None) -> list[Document]:
    """What changed on the target since it was last reconciled, oldest first."""
    query = select(documents).where(documents.c.target == target, PENDING)
    return _all(connection, query.order_by(documents.c.updated_at).limit(limit))


def namesakes(connection: Connection, target: str, found: Iterable[Document]) -> list[Document]:
    """Tombstones of the target, not pending, whose name, or whose owner's name, one of `found` has now."""
    names = sorted({document.name for document in found})
    buried = (
        documents.c.target == target,
        documents.c.deleted_at.is_not(None),
        documents.c.pending.is_(False),
    )
    result: list[Document] = []
    for start in range(0, len(names), 500):
        chunk = names[start : start + 500]
        same = or_(documents.c.name.in_(chunk), documents.c.owner.in_(chunk))
        result += _all(connection, select(documents).where(*buried, same))
    return result


def by_uid(connection: Connection, uids: list[str]) -> list[Document]:
    """Those of `uids` that exist."""
    found: list[Document] = []
    for start in range(0, len(uids), 500):
        found += _all(connection, select(documents).where(documents.c.uid.in_(uids[start : start + 500])))
    return found


def parts_of(connection: Connection, uids: list[str]) -> list[Document]:
    """The living parts of the documents with these uids."""
    found: list[Document] = []
    for start in range(0, len(uids), 500):
        theirs = documents.c.whole.in_(uids[start : start + 500])
        found += _all(connection, select(documents).where(theirs, IS_PART, _ALIVE))
    return found


def referred(connection: Connection, uids: list[str] | None, target: str) -> list[Document]:
    """The living documents that those of `uids` (or all of the target) refer to."""
    found: dict[str, Document] = {}
    if uids is None:
        mine = select(documents.c.uid).where(documents.c.target == target)
        return _all(connection, _referred_by(refs.c.uid.in_(mine)))
    for start in range(0, len(uids), 500):
        chunk = refs.c.uid.in_(uids[start : start + 500])
        found |= {d.uid: d for d in _all(connection, _referred_by(chunk))}
    return list(found.values())


def by_refs(connection: Connection, wanted: Iterable[Ref]) -> list[Document]:
    """The living ones of these documents."""
    names: dict[str, set[str]] = {}
    for ref in wanted:
        names.setdefault(ref.kind, set()).add(ref.name)
    found: list[Document] = []
    for kind, several in names.items():
        ordered = sorted(several)
        for start in range(0, len(ordered), 500):
            chunk = documents.c.name.in_(ordered[start : start + 500])
            found += _all(connection, select(documents).where(documents.c.kind == kind, chunk, _ALIVE))
    return found


def _referred_by(condition: Any) -> Select[Any]:
    pairs = select(refs.c.kind, refs.c.name).where(condition).distinct().subquery()
    same = (documents.c.kind == pairs.c.kind) & (documents.c.name == pairs.c.name)
    return select(documents).join(pairs, same).where(_ALIVE)


def _all(connection: Connection, query: Select[Any]) -> list[Document]:
    return [_document(row) for row in connection.execute(query).all()]


def how_many(connection: Connection, target: str) -> tuple[int, int]:
    """How many documents and tombstones the target has, and how many deletions nobody confirmed."""
    mine = documents.c.target == target
    total = connection.execute(select(func.count()).where(mine)).scalar_one()
    doubtful = mine & documents.c.deleted_at.is_not(None) & ~documents.c.confirmed
    return int(total), int(connection.execute(select(func.count()).where(doubtful)).scalar_one())


def dependents(connection: Connection, found: Iterable[Document]) -> list[Document]:
    """The living documents that refer to any of these, directly or through others."""
    known = {document.uid for document in found}
    frontier, result = [d.ref for d in found], []
    while frontier:
        pairs = [(refs.c.kind == ref.kind) & (refs.c.name == ref.name) for ref in frontier[:200]]
        mine = select(refs.c.uid).where(or_(*pairs))
        fresh = list(_all(connection, select(documents).where(documents.c.uid.in_(mine), _ALIVE)))
        fresh = [d for d in fresh if d.uid not in known]
        known |= {d.uid for d in fresh}
        result += fresh
        frontier = frontier[200:] + [d.ref for d in fresh]
    return result


def referring_to(connection: Connection, document: Document) -> list[tuple[Document, bool]]:
    """Those that refer to the document, each with whether it can be without it."""
    found = select(refs.c.uid).where(refs.c.kind == document.kind, refs.c.name == document.name)
    others = _all(connection, select(documents).where(documents.c.uid.in_(found)))
    pairs = ((each, ref) for each in others for ref in EVERY[each.kind].references(each))
    return [(each, ref.weak) for each, ref in pairs if ref == document.ref]


def owned_by(connection: Connection, user: Document) -> list[Document]:
    """The user's living documents, without those that come with others."""
    theirs = (documents.c.owner == user.name, documents.c.uid != user.uid)
    return _all(connection, select(documents).where(*theirs, _ALIVE, documents.c.kind.in_(list(KINDS))))
