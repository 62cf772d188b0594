"""How an authority is shown that names are ours (RFC 8555, section 8); and http-01, which sites answer themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Protocol

from sqlalchemy import Connection, func, select, true

from reconciler.certificates.answers import Failed
from reconciler.certificates.unserved import NOT_SERVED
from reconciler.lease import Lease
from reconciler.survey import World
from state.document import Document
from state.names import parents
from state.stored_json import sound
from state.tables import claims, documents

PATIENCE = timedelta(minutes=1)
"""How long a certificate waits for a site that is not looked at: its host may not answer."""
Sorted = tuple[tuple[str, ...], dict[str, Failed]]


_REMEDY = "make one, or add it to one as an alias, and it is asked for at once"


class Proof(Protocol):
    """What each way of showing it has to be able to do, for one order."""

    def challenge(self, name: str) -> str:
        """What the standard calls the challenge by which this name is shown to be ours."""
        ...

    def sort_out(self, connection: Connection, names: Sequence[str]) -> Sorted:
        """The names that may be asked for here, and why the others may not."""
        ...

    def show(self, answers: Mapping[str, str]) -> Mapping[str, str]:
        """Has each of these names answer just this; the names that do not, each with why.

        Names are as they are ordered, with ``*.`` where that is so. Raises Failed. What is shown goes when the job
        ends, in the same transaction.
        """
        ...


@dataclass(frozen=True, slots=True)
class Order:
    """For what, by which job and since when, and under which lease something is to be shown, until `stop` is set."""

    world: World
    lease: Lease
    job: str
    document: Document
    stop: Event
    since: datetime


@dataclass(frozen=True, slots=True)
class SiteProof:
    """http-01: every site answers any question about its names without being told of it."""

    order: Order

    def challenge(self, name: str) -> str:
        return "http-01"

    def sort_out(self, connection: Connection, names: Sequence[str]) -> Sorted:
        """Every name that is served here would be found to be ours: whose it is must be known beforehand.

        Raises Failed while a site is still being made or repaired: asked now, the host might not answer.
        """
        owner, mine, foreign = self.order.document.owner, [], {}
        for name in names:
            found = sites_pending(connection, owner, name)
            if any(found) and datetime.now(UTC) < self.order.since + PATIENCE:
                raise Failed("NotYet", f"the site of {name} is being looked at: it is asked for afterwards")
            if found:
                mine.append(name)
            else:
                foreign[name] = Failed(NOT_SERVED, f"no site of {owner} has this name: {_REMEDY}")
        return tuple(mine), foreign

    def show(self, answers: Mapping[str, str]) -> Mapping[str, str]:
        return {}


def sites_pending(connection: Connection, owner: str, name: str) -> list[bool]:
    """The owner's sites, switched off ones left out, that have a name or one that stands for it: whether each is still
    to be looked at."""
    above = [name, *(f"*.{parent}" for parent in list(parents(name))[:1])]
    held = (claims.c.space == "hosts") & claims.c.name.in_(above) & (claims.c.owner == owner)
    on = func.coalesce(sound(documents.c.spec)["is_active"].as_boolean(), true())
    sites = select(documents.c.pending).join(claims, claims.c.uid == documents.c.uid).where(held, on)
    return list(connection.execute(sites).scalars())
