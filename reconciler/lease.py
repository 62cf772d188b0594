"""The right to work on a target: one holder at a time, a heartbeat, and a token that only ever grows.

A contender trusts no clock but its own monotonic one: it takes a lease over only after it has itself seen the
holder's beat stand still for `PATIENCE` seconds, or when the holder was a process of this machine that is gone.
"""

import os
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import structlog
from sqlalchemy import ColumnElement, Connection, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from state.database import Database
from state.errors import Superseded
from state.job_queue import bury_jobs
from state.tables import leases

BEAT_SECONDS = 2.0
PATIENCE = 15.0
_log = structlog.get_logger()


@cache
def whoami() -> str:
    """This process: machine, boot, process id and its start, so that a reused id is not mistaken for it."""
    return f"{socket.gethostname()}/{_boot_id()}/{os.getpid()}/{_started(os.getpid())}"


def is_dead(holder: str) -> bool:
    """Whether the holder is known to be gone: a process of this machine that runs no more."""
    parts = holder.split("/")
    if len(parts) != 4 or parts[0] != socket.gethostname():
        return False
    return parts[1] != _boot_id() or _started(int(parts[2])) != parts[3]


@dataclass
class Lease:
    """A held lease; `lost` is set when someone else took it over.

    `inherited`: its last holder did not let go of it, and may still be at work on the target.
    """

    database: Database
    target: str
    token: int
    inherited: bool = False
    lost: threading.Event = field(default_factory=threading.Event)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> "Lease":
        self._thread = threading.Thread(target=self._beat, name=f"lease {self.target}", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        with suppress(SQLAlchemyError), self.database.writing() as connection:
            connection.execute(update(leases).where(self._mine()).values(held=False))

    def check(self, connection: Connection) -> None:
        """Raises Superseded unless the lease is still this one: the fence of every write that depends on it."""
        token = connection.execute(select(leases.c.token).where(leases.c.target == self.target)).scalar()
        if token != self.token:
            self.lost.set()
            raise Superseded(f"another worker holds {self.target} now")

    def surpass(self, token: int) -> None:
        """Goes on with a greater token than one that the target has seen: the database was restored or made anew.

        Raises Superseded when the lease is not held any more: then it is this worker that is late.
        """
        with self.database.writing() as connection:
            self.check(connection)
            connection.execute(update(leases).where(self._mine()).values(token=token + 1))
        self.token = token + 1

    def _mine(self) -> ColumnElement[bool]:
        return (leases.c.target == self.target) & (leases.c.token == self.token)

    def _beat(self) -> None:
        while not self._stop.wait(BEAT_SECONDS):
            try:
                with self.database.writing() as connection:
                    beaten = connection.execute(
                        update(leases).where(self._mine()).values(beat=leases.c.beat + 1)
                    )
                    if beaten.rowcount == 0:
                        self.lost.set()
                        return
            except SQLAlchemyError as error:
                _log.warning("lease not renewed", target=self.target, error=type(error).__name__)


def last_token(connection: Connection, target: str) -> int:
    """The token of the last lease of the target; 0 when there was none."""
    return int(connection.execute(select(leases.c.token).where(leases.c.target == target)).scalar() or 0)


class Contender:
    """Takes leases; remembers since when (monotonic) it has seen each holder's beat stand still."""

    def __init__(self, database: Database, patience: float = PATIENCE, holder: str = "") -> None:
        self._database = database
        self._patience = patience
        self._holder = holder or whoami()
        self._seen: dict[str, tuple[tuple[int, int], float]] = {}

    def take(self, target: str) -> Lease | None:
        """The lease, or None while another worker holds it. Jobs that its last holder left running are failed."""
        with self._database.writing() as connection:
            row = connection.execute(select(leases).where(leases.c.target == target)).mappings().one_or_none()
            if row is None:
                return self._first(connection, target)
            if row["held"] and not self._expired(target, row["holder"], (row["token"], row["beat"])):
                return None
            same = (
                (leases.c.target == target)
                & (leases.c.token == row["token"])
                & (leases.c.beat == row["beat"])
            )
            token = row["token"] + 1
            mine = {"holder": self._holder, "token": token, "beat": 0, "held": True}
            if connection.execute(update(leases).where(same).values(**mine)).rowcount == 0:
                return None
            bury_jobs(connection, target)
        return Lease(self._database, target, token, inherited=row["held"])

    def _first(self, connection: Connection, target: str) -> Lease | None:
        try:
            mine = {"holder": self._holder, "token": 1, "beat": 0, "held": True}
            connection.execute(insert(leases).values(target=target, **mine))
        except IntegrityError:
            return None
        return Lease(self._database, target, 1)

    def _expired(self, target: str, holder: str, sign: tuple[int, int]) -> bool:
        if is_dead(holder):
            return True
        seen, since = self._seen.get(target, (None, 0.0))
        if seen != sign:
            self._seen[target] = (sign, time.monotonic())
            return False
        return time.monotonic() - since >= self._patience


@cache
def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _started(pid: int) -> str:
    """The process's start in clock ticks since boot (proc(5), field 22); empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
