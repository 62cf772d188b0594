"""Tries to prove who one is, counted before they are judged, so that many at once do not slip through.

An address that the owner came from before has a count of its own, which nobody elsewhere can raise. All other
addresses have one each, and one that they share. Names that nobody has are counted just the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, or_, select, tuple_, update

from state.access.lockout import LONGEST_OWN, LONGEST_SHARED, Failures, counted, rest, settled
from state.access.tables import attempts
from state.claims import lock
from state.errors import Conflict

EVERYBODY = ""
KNOWN, REMEMBERED = timedelta(days=90), timedelta(days=1)
MOST_KNOWN = 100
_KEY = (attempts.c.account, attempts.c.address)


@dataclass(frozen=True, slots=True)
class Charge:
    """One try, counted as failed until it is known better; or refused, when it has to wait for so many seconds.

    `before` are the counts without it, by address.
    """

    account: str
    address: str
    at: datetime
    wait: float = 0
    before: Mapping[str, Failures | None] = field(default_factory=dict)


def begin(connection: Connection, account: str, address: str, now: datetime) -> Charge:
    """Counts a try. One that has to wait is not counted, and makes nobody wait longer."""
    lock(connection, f"attempts/{account}")
    of_account = attempts.c.account == account
    query = select(attempts).where(of_account, attempts.c.address.in_([address, EVERYBODY]))
    rows = {row.address: row for row in connection.execute(query)}
    known = address in rows and rows[address].known_until is not None and rows[address].known_until > now
    before: dict[str, Failures | None] = {}
    wait = timedelta()
    for each in (address,) if known else (address, EVERYBODY):
        row = rows.get(each)
        before[each] = failures = settled(Failures(row.failures, row.last_at), now) if row else None
        if row and failures:
            wait = max(wait, rest(failures, LONGEST_SHARED if each == EVERYBODY else LONGEST_OWN, now))
            if failures.last_at != row.last_at:
                _write(connection, account, each, failures)
    if wait:
        return Charge(account, address, now, wait.total_seconds())
    for each, failures in before.items():
        _write(connection, account, each, counted(failures, now), new=failures is None)
    return Charge(account, address, now, before=before)


def give_back(connection: Connection, charge: Charge) -> None:
    """The try has shown nothing: it counts for nothing."""
    lock(connection, f"attempts/{charge.account}")
    for address in charge.before:
        _give_back(connection, charge, address)


def succeed(connection: Connection, charge: Charge, now: datetime) -> None:
    """It was the owner: its address is known from now on, and others count as if it had not tried."""
    give_back(connection, charge)
    row = (attempts.c.account == charge.account) & (attempts.c.address == charge.address)
    known = {"failures": 0, "last_at": now, "known_until": now + KNOWN}
    connection.execute(update(attempts).where(row).values(known))
    _forget(connection, now)


def vouch(connection: Connection, account: str, address: str, now: datetime) -> datetime:
    """Makes an address known before the owner came from it, and forgets what failed there; returns until when.

    Raises Conflict when the account has very many already.
    """
    lock(connection, f"attempts/{account}")
    of_account, here = attempts.c.account == account, attempts.c.address == address
    others = of_account & ~here & (attempts.c.known_until > now)
    if connection.execute(select(func.count()).where(others)).scalar_one() >= MOST_KNOWN:
        raise Conflict(f"{account} has {MOST_KNOWN} known addresses: wait until some are forgotten")
    values = {"failures": 0, "last_at": now, "known_until": now + KNOWN}
    if connection.execute(update(attempts).where(of_account, here).values(values)).rowcount == 0:
        connection.execute(insert(attempts).values(account=account, address=address, **values))
    return now + KNOWN


def is_known(connection: Connection, account: str, address: str, now: datetime) -> bool:
    """Whether the owner of the account came from this address before."""
    row = (attempts.c.account == account) & (attempts.c.address == address)
    return (
        connection.execute(select(attempts.c.known_until).where(row, attempts.c.known_until > now)).first()
        is not None
    )


def _give_back(connection: Connection, charge: Charge, address: str) -> None:
    """As it was before, unless others failed meanwhile: then one less."""
    row, failures = (
        (attempts.c.account == charge.account) & (attempts.c.address == address),
        charge.before[address],
    )
    as_left = (
        row & (attempts.c.failures == counted(failures, charge.at).count) & (attempts.c.last_at == charge.at)
    )
    earlier = {"failures": failures.count, "last_at": failures.last_at} if failures else {"failures": 0}
    if connection.execute(update(attempts).where(as_left).values(earlier)).rowcount == 0:
        less = update(attempts).where(row, attempts.c.failures > 0).values(failures=attempts.c.failures - 1)
        connection.execute(less)


def _write(
    connection: Connection, account: str, address: str, failures: Failures, *, new: bool = False
) -> None:
    values = {"failures": failures.count, "last_at": failures.last_at}
    if new:
        connection.execute(insert(attempts).values(account=account, address=address, **values))
        return
    row = (attempts.c.account == account) & (attempts.c.address == address)
    connection.execute(update(attempts).where(row).values(values))


def _forget(connection: Connection, now: datetime) -> None:
    """Removes what was last heard of long ago; rows that somebody else is at are left for the next time."""
    old = attempts.c.last_at < now - REMEMBERED
    unknown = or_(attempts.c.known_until.is_(None), attempts.c.known_until < now)
    idle = select(*_KEY).where(old, unknown).with_for_update(skip_locked=True)
    connection.execute(delete(attempts).where(tuple_(*_KEY).in_(idle)))
