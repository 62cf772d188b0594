"""Who holds a shared name: one owner for a host name and all below it, decided under a lock.

Sites and zones hold names. Certificates do not: they are only for names that nobody else holds.
"""

import re
import zlib
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, delete, func, insert, or_, select

from state.document import Document
from state.errors import Conflict
from state.names import CERTIFICATES, HELD, HOST_SPACES, Claim, parents, registrable
from state.tables import claims

_INSERT = insert(claims)
_SAME = (claims.c.space == bindparam("of_space")) & (claims.c.name == bindparam("of_name"))
_FOREIGN = (claims.c.base == bindparam("of_base")) & (claims.c.owner != bindparam("of_owner"))
_OTHERS = _FOREIGN & claims.c.space.in_(HELD)
_AROUND = or_(
    claims.c.name.in_(bindparam("above", expanding=True)),
    claims.c.name.like(bindparam("below"), escape="/"),
)
_ENDED = select(claims.c.uid).where(_FOREIGN, claims.c.space == CERTIFICATES)
_ENDED_AROUND = _ENDED.where(_AROUND)


def _first(condition: ColumnElement[bool]) -> Select[Any]:
    """The claim that is in the way, the name itself before others."""
    same_first = claims.c.name != bindparam("of_name")
    return select(claims.c.name).where(condition).order_by(same_first).limit(1)


_HELD = _first(_SAME)
_HELD_AROUND = _first(or_(_SAME, _OTHERS & _AROUND))
_HELD_AT_ALL = _first(or_(_SAME, _OTHERS))
_OTHERS_AROUND = select(claims.c.uid).where(_OTHERS, _AROUND).limit(1)
_OTHERS_AT_ALL = select(claims.c.uid).where(_OTHERS).limit(1)


def lock(connection: Connection, *keys: str) -> None:
    """Serialises writers of the same keys until the transaction ends; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        for number in sorted({zlib.crc32(key.encode()) for key in keys}):
            connection.execute(select(func.pg_advisory_xact_lock(number)))


def claim(connection: Connection, document: Document, wanted: Iterable[Claim]) -> None:
    """Takes the names for the document's owner. Raises Conflict when another tenant holds one,
    a name above or a name below it."""
    names = list(wanted)
    lock(
        connection, *(f"hosts/{registrable(c.name)}" if _shared(c) else f"{c.space}/{c.name}" for c in names)
    )
    for each in names:
        _refuse_taken(connection, document, each)
    if names:
        connection.execute(_INSERT, [claim_row(document, each) for each in names])


def ended(connection: Connection, document: Document, held: Iterable[Claim]) -> list[str]:
    """The certificates (uids) of others that are for names which the document holds now: nobody can have them."""
    found: dict[str, None] = {}
    for each in held:
        if each.space in HELD:
            around = _around(document.owner, each)
            query = _ENDED_AROUND if "above" in around else _ENDED
            found |= dict.fromkeys(connection.execute(query, around).scalars())
    return list(found)


def of_others(connection: Connection, owner: str, names: Iterable[str]) -> tuple[str, ...]:
    """Those of these host names that somebody else holds, or that belong to a name of theirs, or theirs to them."""
    found = []
    for name in names:
        around = _around(owner, Claim(CERTIFICATES, name))
        query = _OTHERS_AROUND if "above" in around else _OTHERS_AT_ALL
        if connection.execute(query, around).first():
            found.append(name)
    return tuple(found)


def claim_row(document: Document, held: Claim) -> dict[str, str]:
    """The row that says whose a name is; `base` is the registrable domain of a host name."""
    base = registrable(held.name) if _shared(held) else held.name
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
    around, query = _around(document.owner, wanted), _HELD
    if around:
        query = _HELD_AROUND if "above" in around else _HELD_AT_ALL
    found = connection.execute(query, {"of_space": wanted.space, "of_name": wanted.name} | around).scalar()
    if found == wanted.name:
        raise Conflict(f"{wanted.name!r} is taken", code=_code(wanted))
    if found is not None:
        raise Conflict(
            f"{wanted.name!r} is or belongs to a name of another tenant, or that one to it",
            code=_code(wanted),
        )


def _around(owner: str, wanted: Claim) -> dict[str, Any]:
    """What others may not have beside a host name: names above and below; at a registrable domain all of its names."""
    if not _shared(wanted):
        return {}
    base, plain = registrable(wanted.name), wanted.name.removeprefix("*.")
    others = {"of_base": base, "of_owner": owner}
    if plain == base:
        return others
    above = [wanted.name, *(name for parent in parents(wanted.name) for name in (parent, f"*.{parent}"))]
    return others | {"above": above, "below": f"%.{_literal(plain)}"}


def _shared(each: Claim) -> bool:
    return each.space in HOST_SPACES


def _literal(name: str) -> str:
    """The name as a pattern of LIKE that means itself."""
    return re.sub(r"[/%_]", r"/\g<0>", name)


def _code(wanted: Claim) -> str:
    return "domain_taken" if _shared(wanted) else "username_taken"
