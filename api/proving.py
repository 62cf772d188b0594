"""Proving who one is by a password and a second factor: each try is counted, and no transaction waits for a hash."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from sqlalchemy import Connection

from api.address import counted as counted_as
from api.call import Call
from api.errors import TooMany
from state.access import attempts, second_factors
from state.access.second_factors import Factor
from state.access.secrets import kept_verifier, matches
from state.claims import lock
from state.document import Document, Ref
from state.errors import Unauthenticated
from state.reading import find


class Unproved(Unauthenticated):
    """The name, the password or the code is wrong; nothing says which."""

    code = "bad_credentials"

    def __init__(self) -> None:
        super().__init__("the user name, the password or the code is wrong")


class CodeWanted(Unauthenticated):
    code = "two_factor_required"

    def __init__(self) -> None:
        super().__init__("a code of the second factor is needed: send it as well")


@dataclass(frozen=True, slots=True)
class Known:
    """A user whose password was given, and since when it is the password."""

    user: Document
    since: datetime


def is_familiar(call: Call, account: str) -> bool:
    """Whether the owner of the account came from the caller's address before."""
    with call.house.database.reading() as connection:
        return attempts.is_known(connection, account, counted_as(call.address), call.house.clock())


@contextmanager
def counted(call: Call, account: str) -> Iterator[None]:
    """Counts what is done inside as a try of the account. Raises TooMany when that has to wait."""
    database, clock = call.house.database, call.house.clock
    with database.writing() as connection:
        charge = attempts.begin(connection, account, counted_as(call.address), clock())
    if charge.wait:
        wait = ceil(charge.wait)
        raise TooMany(
            f"too many failed attempts: try again in {wait} s", code="account_locked", retry_after=wait
        )
    try:
        yield
    except Unproved:
        raise
    except BaseException:
        with database.writing() as connection:
            attempts.give_back(connection, charge)
        raise
    with database.writing() as connection:
        attempts.succeed(connection, charge, clock())


def know(call: Call, name: str, password: str) -> Known:
    """The user of this name, whose password this is. Raises Unproved."""
    with call.house.database.reading() as connection:
        user = find(connection, Ref("User", name))
        verifier, since = kept_verifier(connection, user.uid) if user else (None, None)
    if not matches(verifier, password) or user is None or since is None:
        raise Unproved
    return Known(user, since)


def still(connection: Connection, known: Known) -> Document:
    """The user as it is in this transaction, while the password is the one that was given. Raises Unproved.

    Others who do the same for this user wait until the transaction ends.
    """
    lock(connection, f"password/{known.user.uid}")
    user = find(connection, known.user.ref)
    if user is None or user.uid != known.user.uid or kept_verifier(connection, user.uid)[1] != known.since:
        raise Unproved
    return user


def second(call: Call, connection: Connection, uid: str, code: str | None) -> Factor:
    """Uses the code up, where a second factor is enabled. Raises CodeWanted, Unproved."""
    if not second_factors.is_enabled(connection, uid):
        return Factor.NONE
    if not code:
        raise CodeWanted
    factor = second_factors.use(connection, call.house.settings.var, uid, code, call.house.clock())
    if factor is Factor.NONE:
        raise Unproved
    return factor
