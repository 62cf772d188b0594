"""What there is to know of this machine and its configuration, for the rules of safety; it changes nothing."""

import os
import socket
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from commands.administrator import NAME, password_file
from commands.facts import Facts, File, Role, Store
from commands.opening import sqlite_file
from reconciler.inventory import read_inventory
from state.certificates.authorities import authorities
from state.database import Database
from state.document import Ref
from state.errors import GhostError, Unreadable
from state.journal.tables import events
from state.keys import LOCK
from state.reading import find
from state.settings import Settings
from state.tables import leases, targets


def gather(settings: Settings) -> Facts:
    """Asks the file system, the database and the inventory."""
    password = os.environ.get("GHOSTCP_ADMIN_PASSWORD")
    return Facts(
        settings,
        datetime.now(UTC),
        socket.gethostname(),
        os.geteuid(),
        tuple(_files(settings)),
        _store(settings),
        _inventory(settings.inventory),
        tuple(_authority_faults(settings.authorities)),
        len(password) if password else None,
    )


def _files(settings: Settings) -> Iterator[File]:
    var = settings.var
    yield from _file(var, Role.FOLDER)
    yield from _file(var / "keys", Role.FOLDER)
    for path in sorted((var / "keys").glob("*")) if (var / "keys").is_dir() else ():
        if path.name != LOCK:  # there is nothing in it
            yield from _file(path, Role.SECRET)
    yield from _file(password_file(var), Role.SECRET)
    if (stored := sqlite_file(settings.database)) is not None:
        yield from _file(stored, Role.SECRET)
    for folder in settings.template_folders:
        yield from _file(folder, Role.TRUSTED)
        for path in sorted(folder.rglob("*")):
            yield from _file(path, Role.TRUSTED)
    if settings.inventory:
        yield from _file(settings.inventory, Role.TRUSTED)
    if settings.authorities:
        yield from _file(
            settings.authorities, Role.SECRET if _has_secrets(settings.authorities) else Role.TRUSTED
        )


def _file(path: Path, role: Role) -> Iterator[File]:
    try:
        seen = path.stat()
    except OSError:
        return
    yield File(str(path), role, stat.S_IMODE(seen.st_mode), seen.st_uid)


def _store(settings: Settings) -> Store:
    path = sqlite_file(settings.database)
    if path and not path.exists():
        return Store("there is no database yet: run 'ghostcp migrate'")
    try:
        database = Database(settings.database)
    except (ArgumentError, SQLAlchemyError, ImportError, OSError) as error:
        return Store(f"it is no database that can be used ({type(error).__name__})")
    try:
        if database.is_behind():
            return Store(behind=True)
        with database.reading() as connection:
            return _asked(connection)
    except SQLAlchemyError as error:
        return Store(f"it does not answer ({type(error).__name__})")
    finally:
        database.close()


def _asked(connection: Connection) -> Store:
    holders = connection.execute(select(leases.c.holder).where(leases.c.held)).scalars()
    times = [
        connection.execute(select(func.max(column))).scalar()
        for column in (events.c.at, targets.c.observed_at)
    ]
    return Store(
        administrator=find(connection, Ref("User", NAME)) is not None,
        machines=frozenset(holder.partition("/")[0] for holder in holders),
        latest=max((time for time in times if time), default=None),
    )


def _inventory(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        read_inventory(path)
    except GhostError as error:
        return error.message
    return ""


def _authority_faults(path: Path | None) -> Iterator[str]:
    try:
        for name, fault in authorities(path).faults.items():
            yield f"{name}: {fault}"
    except Unreadable as error:
        yield error.message


def _has_secrets(path: Path) -> bool:
    """Whether a file of authorities says who we are there; one that cannot be understood may do so."""
    try:
        return "hmac" in path.read_text("utf-8", errors="replace")
    except OSError:
        return False
