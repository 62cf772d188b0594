"""The managed hosts, and external DNS providers beside them: their addresses, what they have, what was last seen."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from state.compiling import Facts
from state.errors import Conflict, NotFound
from state.tables import documents, targets

PREFIX = "provider:"
IS_HOST = ~targets.c.name.startswith(PREFIX)


@dataclass(frozen=True, slots=True)
class Target:
    """A managed host, or an external provider (`PREFIX` and its name).

    `listed`: it is in the inventory now, or set up; `unmanaged`: found there and not ours. `secondaries` are the hosts
    that have copies of its zones, and `dns_address` is where those are told to find it.
    """

    name: str
    address: str
    facts: Facts = field(default_factory=Facts)
    observed_at: datetime | None = None
    reachable: bool = True
    message: str = ""
    drifted: int = 0
    unmanaged: tuple[str, ...] = ()
    listed: bool = True
    secondaries: tuple[str, ...] = ()
    dns_address: str = ""


def list_targets(connection: Connection) -> list[Target]:
    """Every target, by name."""
    return [
        target_from_row(row)
        for row in connection.execute(select(targets).order_by(targets.c.name)).mappings()
    ]


def get_target(connection: Connection, name: str) -> Target:
    """The target. Raises NotFound."""
    row = connection.execute(select(targets).where(targets.c.name == name)).mappings().one_or_none()
    if row is None:
        raise NotFound(f"no host {name!r} is managed", resource="host", id=name)
    return target_from_row(row)


def get_host(connection: Connection, name: str) -> Target:
    """The target, which is no provider. Raises NotFound."""
    if name.startswith(PREFIX):
        raise NotFound(f"no host {name!r} is managed", resource="host", id=name)
    return get_target(connection, name)


def hosts_facts(connection: Connection) -> dict[str, Facts]:
    """What every host has, by name."""
    rows = connection.execute(select(targets).where(IS_HOST)).mappings()
    return {target.name: target.facts for target in map(target_from_row, rows)}


def choose_target(connection: Connection, wished: str | None) -> str:
    """`wished`, or the listed host with the fewest documents. Raises Conflict, NotFound."""
    if wished:
        return get_host(connection, wished).name
    placed = select(documents.c.target, func.count().label("n")).group_by(documents.c.target).subquery()
    query = (
        select(targets.c.name)
        .outerjoin(placed, placed.c.target == targets.c.name)
        .where(targets.c.listed, IS_HOST)
    )
    name = connection.execute(query.order_by(func.coalesce(placed.c.n, 0), targets.c.name).limit(1)).scalar()
    if name is None:
        raise Conflict("no host is managed yet: add one to the inventory", code="no_host")
    return str(name)


def list_hosts(connection: Connection, addresses: Mapping[str, str]) -> None:
    """Makes the managed hosts those of `addresses` (name → address); others are kept, no longer listed."""
    known = {target.name for target in list_targets(connection)}
    others = targets.c.name.not_in(list(addresses)) & IS_HOST
    connection.execute(update(targets).where(others).values(listed=False))
    for name, address in addresses.items():
        if name in known:
            relist(connection, name, address)
        else:
            add_target(connection, name, address)


def relist(connection: Connection, name: str, address: str) -> None:
    """Makes a known target one that is managed, at this address."""
    row = targets.c.name == name
    connection.execute(update(targets).where(row).values(address=address, listed=True))


def add_target(connection: Connection, name: str, address: str) -> None:
    """A target of which nothing was seen yet."""
    empty: dict[str, Any] = {"facts": {}, "unmanaged": [], "drifted": 0, "message": ""}
    connection.execute(
        insert(targets).values(name=name, address=address, reachable=True, listed=True, **empty)
    )


def seen(connection: Connection, name: str, facts: Facts | None, message: str = "") -> None:
    """Records a look at the target: its facts, or why it could not be looked at."""
    values: dict[str, Any] = {"reachable": facts is not None, "message": message}
    if facts is not None:
        values |= {"facts": asdict(facts), "observed_at": datetime.now(UTC)}
    connection.execute(update(targets).where(targets.c.name == name).values(**values))


def answered(connection: Connection, name: str) -> None:
    """Records that the target can be reached again, when it could not be."""
    row = (targets.c.name == name) & targets.c.reachable.is_(False)
    connection.execute(update(targets).where(row).values(reachable=True, message=""))


def swept(connection: Connection, name: str, *, drifted: int, unmanaged: list[str]) -> None:
    """Records what a sweep found."""
    row = targets.c.name == name
    connection.execute(update(targets).where(row).values(drifted=drifted, unmanaged=unmanaged[:1000]))


def target_from_row(row: Mapping[Any, Any]) -> Target:
    facts: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row["facts"].items()}
    names = ("name", "address", "observed_at", "reachable", "message", "drifted", "listed")
    return Target(
        facts=Facts(**facts),
        unmanaged=tuple(row["unmanaged"]),
        secondaries=tuple(row["secondaries"]),
        dns_address=row["dns_address"],
        **{n: row[n] for n in names},
    )
