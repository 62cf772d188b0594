"""What a new document is given: room in its owner's plan, a host, and a number."""

from sqlalchemy import Connection, func, insert, select, update

from state.claims import lock
from state.compiling import Related
from state.document import Ref
from state.errors import Fault, Forbidden, Invalid
from state.kind import Kind
from state.spec import Spec
from state.tables import documents, numbers
from state.targets import choose_target, get_host
from state.zones.providers import provider_of, provider_target


def check_limit(connection: Connection, kind: Kind, owner: str, lookup: Related) -> None:
    """Raises Forbidden when the owner has as many documents of the kind as its plan allows."""
    if kind.limit is None:
        return
    user = lookup(Ref("User", owner))
    limit = int(getattr(user.spec, kind.limit, 0)) if user else 0
    if limit and count(connection, kind, owner) >= limit:
        raise Forbidden(
            f"{owner!r} may have {limit} {kind.plural} and has them: raise {kind.limit} or delete one",
            code="limit_reached",
            limit=limit,
        )


def count(connection: Connection, kind: Kind, owner: str) -> int:
    """How many documents of `kind` the owner has."""
    alive = documents.c.deleted_at.is_(None)
    query = select(func.count()).where(documents.c.owner == owner, documents.c.kind == kind.name, alive)
    return int(connection.execute(query).scalar_one())


def place(
    connection: Connection, kind: Kind, spec: Spec, owner: str, lookup: Related, wished: str | None
) -> str:
    """The host of a new document: its owner's, else the one wished for or the emptiest; none where it needs none.

    One with an external provider is there, once that is set up.

    Raises NotFound, or Invalid where another one was wished for than it can have.
    """
    if wished is not None and not kind.placed:
        raise Invalid([Fault("host", "is nothing that it has: leave it out")])
    provider = provider_of(kind, spec)
    external = provider_target(connection, provider) if provider else ""
    if external and wished not in {None, external}:
        raise Invalid([Fault("host", f"is that of its provider, {external!r}: leave it out")])
    if external:
        return external
    if wished is not None:
        get_host(connection, wished)
    if not kind.placed or not kind.hosted(spec):
        return ""
    user = None if kind.owns else lookup(Ref("User", owner))
    if user and wished is not None and wished != user.target:
        theirs = repr(user.target) if user.target else "which has none yet"
        raise Invalid([Fault("host", f"is that of its owner, {theirs}: leave it out")])
    return user.target if user else choose_target(connection, wished)


def next_number(connection: Connection, kind: Kind) -> int | None:
    """A number that no document of the kind ever had, where it has numbers."""
    if not kind.numbered:
        return None
    lock(connection, f"number/{kind.name}")
    row = numbers.c.kind == kind.name
    if connection.execute(update(numbers).where(row).values(last=numbers.c.last + 1)).rowcount == 0:
        connection.execute(insert(numbers).values(kind=kind.name, last=1))
    return int(connection.execute(select(numbers.c.last).where(row)).scalar_one())
