"""Second factors: a secret that is shared with an authenticator, and codes each of which proves it once."""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from state.access import totp
from state.access.tables import recovery_codes, second_factors
from state.claims import lock
from state.errors import Conflict, NotFound
from state.vault import seal, unseal


class Factor(Enum):
    """What stood in for the second factor."""

    NONE = "none"
    CODE = "code"
    RECOVERY = "recovery code"


def is_enabled(connection: Connection, uid: str) -> bool:
    row = _row(connection, uid)
    return row is not None and bool(row.enabled)


def set_up(connection: Connection, var: Path, uid: str, now: datetime) -> str:
    """A new secret, which counts once a code of it was given. Raises Conflict when there is one that counts."""
    lock(connection, f"factor/{uid}")
    if is_enabled(connection, uid):
        raise Conflict("there is a second factor: disable it first", code="two_factor_enabled")
    secret = totp.new_secret()
    connection.execute(delete(second_factors).where(second_factors.c.uid == uid))
    row = {"uid": uid, "secret": seal(var, secret), "enabled": False, "last_step": 0, "created_at": now}
    connection.execute(insert(second_factors).values(row))
    return secret


def enable(connection: Connection, var: Path, uid: str, code: str, now: datetime) -> tuple[str, ...] | None:
    """The recovery codes, to be shown once; none when the code is wrong. Raises Conflict, NotFound."""
    lock(connection, f"factor/{uid}")
    row = _row(connection, uid)
    if row is None:
        raise NotFound("no second factor was set up: begin with POST /api/v1/auth/totp/setup")
    if row.enabled:
        raise Conflict("the second factor is enabled already", code="two_factor_enabled")
    if not _use_code(connection, var, row, code, now):
        return None
    connection.execute(update(second_factors).where(second_factors.c.uid == uid).values(enabled=True))
    codes = totp.new_recovery_codes()
    _keep(connection, uid, codes)
    return codes


def use(connection: Connection, var: Path, uid: str, code: str, now: datetime) -> Factor:
    """What the code is, which from now on proves nothing any more; none when it is wrong."""
    row = _row(connection, uid)
    if row is None or not row.enabled:
        return Factor.NONE
    if totp.is_recovery_code(code):
        return Factor.RECOVERY if _use_recovery_code(connection, uid, code, now) else Factor.NONE
    return Factor.CODE if _use_code(connection, var, row, code, now) else Factor.NONE


def remove(connection: Connection, uid: str) -> None:
    """From now on the password is enough."""
    for table in (recovery_codes, second_factors):
        connection.execute(delete(table).where(table.c.uid == uid))


def _row(connection: Connection, uid: str) -> Row[Any] | None:
    return connection.execute(select(second_factors).where(second_factors.c.uid == uid)).one_or_none()


def _keep(connection: Connection, uid: str, codes: Iterable[str]) -> None:
    connection.execute(delete(recovery_codes).where(recovery_codes.c.uid == uid))
    connection.execute(
        insert(recovery_codes), [{"uid": uid, "digest": totp.digest(uid, each)} for each in codes]
    )


def _use_code(connection: Connection, var: Path, row: Row[Any], code: str, now: datetime) -> bool:
    """Of several at once, the one that finds the last step as it was read."""
    step = totp.accepted(unseal(var, row.secret), code, row.last_step, now)
    if step is None:
        return False
    as_read = (second_factors.c.uid == row.uid) & (second_factors.c.last_step == row.last_step)
    return connection.execute(update(second_factors).where(as_read).values(last_step=step)).rowcount == 1


def _use_recovery_code(connection: Connection, uid: str, code: str, now: datetime) -> bool:
    unused = (
        (recovery_codes.c.uid == uid)
        & (recovery_codes.c.digest == totp.digest(uid, code))
        & recovery_codes.c.used_at.is_(None)
    )
    return connection.execute(update(recovery_codes).where(unused).values(used_at=now)).rowcount == 1
