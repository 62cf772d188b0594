"""A posted set of documents: the writes that make it true."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection, select

from api import access, writes
from api.auth import Principal
from api.fields import OWNERS
from api.posted_set import Posted, PostedSet
from api.removing import Outcome, depth_of, pruned, replaced
from api.visibility import visible
from api.writes import New, Written
from state.document import Document, Ref
from state.errors import Fault, GhostError, Invalid
from state.kind import Kind
from state.kinds import KINDS
from state.parts import clashes
from state.reading import find
from state.tables import documents
from state.validation import dump


def perform(
    connection: Connection, principal: Principal, posted: PostedSet, removals: Sequence[str] | None = None
) -> Outcome:
    """Does the writes, in the order in which kinds build on each other. Raises Invalid with all faults.

    `removals` are the only documents that may be deleted, when that was decided before. As many deletions as
    were said to be meant are confirmed ones.
    """
    faults: list[Fault] = []
    written: list[Written] = []
    kept: set[str] = set()
    base: dict[str, int] = {}
    places: dict[str, int] = {}
    inside: list[Document] = []
    for i, each in _in_order(posted.documents):
        try:
            one = _write(connection, principal, posted, each)
        except Invalid as error:
            faults += [
                Fault(f"documents.{i}.{place(KINDS[each.kind], fault.field)}", fault.message)
                for fault in error.faults
            ]
            continue
        except GhostError as error:
            error.details.setdefault("errors", [{"field": f"documents.{i}", "message": error.message}])
            raise
        if one.after.uid in kept:
            faults.append(Fault(f"documents.{i}", f"{one.after.ref} is there twice"))
        kept.add(one.after.uid)
        places[one.after.uid] = i
        inside += [one.after] if each.inside else []
        written.append(replace(one, place=f"documents.{i}.spec."))
        base |= {one.before.uid: one.before.generation} if one.before else {str(one.after.ref): 0}
    if faults:
        raise Invalid(faults)
    outcome = replaced(connection, principal, Outcome(tuple(written), base=base), inside, removals)
    if posted.prune:
        outcome = pruned(connection, principal, posted, outcome, removals)
    _refuse_clashes(connection, outcome, places)
    return outcome


def _refuse_clashes(connection: Connection, outcome: Outcome, places: Mapping[str, int]) -> None:
    """Looks at parts beside each other when all are written and all that go are gone. Raises Invalid."""
    faults = [
        Fault(f"documents.{places[one.after.uid]}.{place(KINDS[one.after.kind], fault.field)}", fault.message)
        for one in outcome.written
        if one.after.uid in places and not one.after.deleted
        for fault in clashes(connection, one.after)
    ]
    if faults:
        raise Invalid(faults)


def _in_order(posted: Sequence[Posted]) -> list[tuple[int, Posted]]:
    """The documents with their places in the set, owners before what they own."""
    owner_of = {each.metadata.name: each.metadata.owner for each in posted if KINDS[each.kind].owns}

    def depth(pair: tuple[int, Posted]) -> tuple[int, int]:
        return KINDS[pair[1].kind].rank, depth_of(pair[1].metadata.owner, owner_of)

    return sorted(enumerate(posted), key=depth)


def _write(connection: Connection, principal: Principal, posted: PostedSet, each: Posted) -> Written:
    kind = KINDS[each.kind]
    document = _existing(connection, kind, each.metadata.name)
    if document is not None and _sees(connection, principal, kind, document):
        return _rewrite(connection, principal, document, each)
    return create(connection, principal, each, posted.owner, posted.host, apart=False)


def create(
    connection: Connection,
    principal: Principal,
    each: Posted,
    owner: str | None = None,
    host: str | None = None,
    *,
    apart: bool = True,
) -> Written:
    """Makes the document, of `owner` and on `host` where it does not say itself. Raises Invalid, Conflict."""
    kind = KINDS[each.kind]
    whose = _owner(connection, principal, kind, each.metadata.owner or owner)
    wished = each.metadata.host or (host if kind.owns else None)
    new = New(kind, each.metadata.name, whose, each.spec, wished)
    return writes.create(connection, principal, new, apart=apart)


def _rewrite(connection: Connection, principal: Principal, document: Document, each: Posted) -> Written:
    faults = [
        Fault(f"metadata.{name}", f"is {now!r} and cannot be changed after creation")
        for name, given, now in (
            ("owner", each.metadata.owner, document.owner),
            ("host", each.metadata.host, document.target),
        )
        if given is not None and given != now
    ]
    old = dump(document.spec)
    named = {n: v for n, v in each.spec.items() if n not in old or old[n] != v}
    return writes.change(
        connection, principal, document, each.spec,
        merge=False, faults=faults, named=named, apart=False,
    )  # fmt: skip


def _existing(connection: Connection, kind: Kind, name: str) -> Document | None:
    """The document of this name, however it is spelt."""
    try:
        return find(connection, Ref(kind.name, kind.check_name(name)))
    except ValueError:
        return find(connection, Ref(kind.name, name))


def _sees(connection: Connection, principal: Principal, kind: Kind, document: Document) -> bool:
    query = select(documents.c.uid).where(documents.c.uid == document.uid, visible(principal, kind))
    return connection.execute(query).first() is not None


def _owner(connection: Connection, principal: Principal, kind: Kind, name: str | None) -> str:
    if not name or not kind.placed:
        return access.owner_of_new(principal, kind, None)
    owner = find(connection, Ref(OWNERS.name, name))
    if owner is None or not _sees(connection, principal, OWNERS, owner):
        raise Invalid([Fault("metadata.owner", f"there is no user {name!r}")])
    access.check_owner(principal, kind, owner)
    return owner.name


def place(kind: Kind, name: str) -> str:
    """Where a field of the kind's object is in a document."""
    if name == kind.name_field:
        return "metadata.name"
    if name == "host" and name not in kind.schema.model_fields:
        return "metadata.host"
    return name if name.startswith("metadata.") else f"spec.{name}"
