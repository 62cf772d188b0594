"""Who holds a shared name: one owner for a host name and all below it, decided under a lock."""

import re
import zlib
from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select

from state.document import Document
from state.errors import Conflict
from state.names import Claim, parents, registrable
from state.tables import claims

_HELD = select(claims.c.uid).where(
    claims.c.space == bindparam("of_space"), claims.c.name == bindparam("of_name")
)

_FOREIGN = (
    select(claims.c.owner)
    .where(claims.c.space == bindparam("of_space"), claims.c.base == bindparam("of_base"))
    .where(claims.c.owner != bindparam("of_owner"))
    .where(
        or_(
            claims.c.name.in_(bindparam("above", expanding=True)),
            claims.c.name.like(bindparam("below"), escape="/"),
        )
    )
    .limit(1)
)


def lock(connection: Connection, *keys: str) -> None:
    """Serialises writers of the same keys until the transaction ends; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        for number in sorted({zlib.crc32(key.encode()) for key in keys}):
            connection.execute(select(func.pg_advisory_xact_lock(number)))


def claim(connection: Connection, document: Document, wanted: Iterable[Claim]) -> None:
    """Takes the names for the document's owner. Raises Conflict when another tenant holds one,
    a name above or a name below it."""
    names = list(wanted)
    lock(connection, *(f"{c.space}/{registrable(c.name) if c.space == 'hosts' else c.name}" for c in names))
    for each in names:
        _refuse_taken(connection, document, each)
        connection.execute(insert(claims), claim_row(document, each))


def claim_row(document: Document, held: Claim) -> dict[str, str]:
    """The row that says whose a name is; `base` is the registrable domain of a host name."""
    base = registrable(held.name) if held.space == "hosts" else held.name
    return {
        "space": held.space,
        "name": held.name,
        "uid": document.uid,
        "owner": document.owner,
        "base": base,
    }


def release(connection: Connection, uids: Iterable[str]) -> None:
    """Gives up the names that the documents hold."""
    connection.execute(delete(claims).where(claims.c.uid.in_(list(uids))))


def _refuse_taken(connection: Connection, document: Document, wanted: Claim) -> None:
    if connection.execute(_HELD, {"of_space": wanted.space, "of_name": wanted.name}).first():
        raise Conflict(f"{wanted.name!r} is taken", code=_code(wanted))
    if wanted.space != "hosts":
        return
    related = {
        "of_space": wanted.space,
        "of_base": registrable(wanted.name),
        "of_owner": document.owner,
        "above": [name for parent in parents(wanted.name) for name in (parent, f"*.{parent}")],
        "below": f"%.{_literal(wanted.name.removeprefix('*.'))}",
    }
    if connection.execute(_FOREIGN, related).first():
        raise Conflict(
            f"{wanted.name!r} belongs to a name of another tenant, or that one to it", code=_code(wanted)
        )


def _literal(name: str) -> str:
    """The name as a pattern of LIKE that means itself."""
    return re.sub(r"[/%_]", r"/\g<0>", name)


def _code(wanted: Claim) -> str:
    return "domain_taken" if wanted.space == "hosts" else "username_taken"
