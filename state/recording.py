"""What is written with every document: its columns, a revision, its references, and the call for looks at others."""

from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from state.document import Document
from state.kind import Kind
from state.kinds import EVERY
from state.parts import refuse_clashes, touch_whole
from state.statuses import save_statuses, unplaced, wake
from state.tables import documents, refs, revisions
from state.validation import dump

_INSERT_REVISION, _INSERT_REFS = insert(revisions), insert(refs)
_HIGHEST = max(kind.rank for kind in EVERY.values())
_DEPENDING = select(refs.c.uid).where(
    refs.c.kind == bindparam("of_kind"), refs.c.name == bindparam("of_name")
)
_TOUCH = (
    update(documents)
    .where(documents.c.uid.in_(_DEPENDING), documents.c.deleted_at.is_(None))
    .values(wanted=documents.c.wanted + 1, pending=documents.c.target != "")
)


def record(connection: Connection, document: Document, kind: Kind, actor: str, *, apart: bool) -> None:
    """The revision and the references both ways of a document just written. Raises Invalid for what clashes."""
    if apart:
        refuse_clashes(connection, [document])
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
    touch_dependents(connection, document)


def touch(connection: Connection, document: Document) -> None:
    """Calls for a look at the document and at what refers to it, whose specs are as they were."""
    wake(connection, [document.uid])
    touch_dependents(connection, document)


def touch_dependents(connection: Connection, document: Document) -> None:
    """What refers to it has a higher rank."""
    if EVERY[document.kind].rank < _HIGHEST:
        connection.execute(_TOUCH, {"of_kind": document.kind, "of_name": document.name})
    touch_whole(connection, document)


_APART = {"spec", "pending", "kept", "sealed"}
_PLAIN = [column.name for column in documents.columns if column.name not in _APART]


def columns(document: Document) -> dict[str, Any]:
    return {name: getattr(document, name) for name in _PLAIN} | {"spec": dump(document.spec)}
