"""The worker: keeps every target reconciled, sweeps it now and then, and answers plans, until told to stop."""

import random
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from reconciler import ansible
from reconciler.courier import deliver
from reconciler.dry_run import answer_plan
from reconciler.garbage import collect_seldom
from reconciler.inventory import inventory_hosts
from reconciler.lease import Contender, Lease
from reconciler.loop import reconcile
from reconciler.purge import purge_due
from reconciler.survey import World
from reconciler.sweep import sweep
from reconciler.tasks import broker_listener
from state.database import Database
from state.errors import GhostError, Superseded, Temporary, Unreachable
from state.plans import requeue, take_plan
from state.settings import Settings
from state.statuses import wake
from state.targets import list_hosts, seen
from state.templates import load_templates, stamp

POLL_SECONDS = 1.0
LONGEST_BACKOFF = 60.0
TEMPLATE_SECONDS = 2.0
_log = structlog.get_logger()


def run_worker(settings: Settings, database: Database, stop: threading.Event) -> None:
    """Works until `stop` is set. Raises GhostError when the inventory cannot be read."""
    if settings.inventory is None:
        raise Temporary(
            "no inventory: set GHOSTCP_INVENTORY to an Ansible inventory with a group ghostcp_hosts"
        )
    collect_seldom()
    hosts = inventory_hosts(settings.inventory)
    with database.writing() as connection:
        list_hosts(connection, hosts)
    with ansible.runner(settings.inventory) as run, broker_listener(settings):
        world = World(database, settings, run, lambda: load_templates(settings.template_folders))
        tenders = {name: Tender(world, name, stop) for name in hosts}
        loops: list[Callable[[], None]] = [t.passes for t in tenders.values()]
        loops += [t.sweeps for t in tenders.values()]
        loops += [t.purges for t in tenders.values()]
        loops += [
            lambda: _answers(world, stop, bell),
            lambda: _listen(settings.doorbell, tenders, bell, stop),
            lambda: deliver(settings, database, stop),
        ]
        bell = threading.Event()
        threads = [threading.Thread(target=_guarded(loop, stop), daemon=True) for loop in loops]
        for thread in threads:
            thread.start()
        stop.wait()
        bell.set()
        for tender in tenders.values():
            tender.bell.set()
        _finish(threads, settings.stop_seconds)


def _finish(threads: Sequence[threading.Thread], seconds: float) -> None:
    """Waits for what is under way. What takes longer is abandoned: its lease is taken over, its host observed again."""
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = sum(thread.is_alive() for thread in threads)
    if late:
        _log.warning("stopped with work under way: the next worker looks again", loops=late)


class Tender:
    """Looks after one target: passes as soon as something is pending, sweeps on a slow clock of their own."""

    def __init__(self, world: World, target: str, stop: threading.Event) -> None:
        self.bell = threading.Event()
        self.still = threading.Lock()
        self._world = world
        self._target = target
        self._stop = stop
        self._retries: dict[str, tuple[int, float]] = {}
        self._misses = 0
        self._lease: Lease | None = None

    def passes(self) -> None:
        """Holds the target's lease and passes over what is pending until told to stop."""
        contender = Contender(self._world.database)
        while not self._stop.is_set():
            lease = contender.take(self._target)
            if lease is None:
                self._stop.wait(POLL_SECONDS)
                continue
            with lease, suppress(Superseded):
                self._hold(lease)

    def sweeps(self) -> None:
        """Sweeps at once, then every `sweep_seconds`, a tenth earlier or later."""
        while not self._stop.is_set():
            try:
                sweep(self._world, self._target, self.still)
                self.bell.set()
            except Unreachable as error:
                with self._world.database.writing() as connection:
                    seen(connection, self._target, None, str(error))
            except Temporary as error:
                _log.warning("sweep failed", target=self._target, error=str(error))
            self._rest(self._world.settings.sweep_seconds * random.uniform(0.9, 1.1))  # noqa: S311

    def _rest(self, seconds: float) -> None:
        """Waits between sweeps, no longer than until an operator's template changes."""
        folders, until = self._world.settings.template_folders, time.monotonic() + seconds
        known = stamp(folders)
        while not self._stop.wait(min(TEMPLATE_SECONDS, max(0.0, until - time.monotonic()))):
            if time.monotonic() >= until or stamp(folders) != known:
                return

    def purges(self) -> None:
        """Does the purges whose day has come, while the target is ours."""
        while not self._stop.is_set():
            lease = self._lease
            with suppress(Superseded):
                if lease is None or lease.lost.is_set() or not purge_due(self._world, lease):
                    self._stop.wait(self._world.settings.purge_poll_seconds)

    def _hold(self, lease: Lease) -> None:
        self._lease = lease
        while not self._stop.is_set() and not lease.lost.is_set():
            self.bell.clear()
            delay = self._pass(lease)
            self.bell.wait(delay)
            if self._misses:
                self._stop.wait(min(2.0**self._misses, LONGEST_BACKOFF))

    def _pass(self, lease: Lease) -> float:
        """One pass; how long to wait for the bell afterwards."""
        self._wake_due()
        with self.still:
            done = reconcile(self._world, lease)
        self._misses = self._misses + 1 if done.postponed else 0
        now = time.monotonic()
        for uid in done.retry:
            tries = self._retries.get(uid, (0, now))[0] + 1
            delay = 0.0 if done.again and tries == 1 else min(2.0 ** (tries - 1), LONGEST_BACKOFF)
            self._retries[uid] = (tries, now + delay)
        if done.again:
            return 0.0
        if done.documents and not done.retry:
            self._forget_old(now)
        return POLL_SECONDS

    def _wake_due(self) -> None:
        due = [uid for uid, (_, at) in self._retries.items() if at <= time.monotonic()]
        if due:
            with self._world.database.writing() as connection:
                wake(connection, due)
            for uid in due:
                self._retries[uid] = (self._retries[uid][0], float("inf"))

    def _forget_old(self, now: float) -> None:
        """Documents that were woken and have not failed again since start from the beginning next time."""
        self._retries = {
            uid: r for uid, r in self._retries.items() if r[1] != float("inf") and r[1] > now - 600
        }


def _answers(world: World, stop: threading.Event, bell: threading.Event) -> None:
    """Answers plans, oldest first, beginning with those that an earlier worker may have left half answered."""
    with world.database.writing() as connection:
        requeue(connection)
    while not stop.is_set():
        bell.clear()
        with world.database.reading() as connection:
            waiting = connection.exec_driver_sql(
                "SELECT 1 FROM plans WHERE status = 'pending' LIMIT 1"
            ).first()
        plan = None
        if waiting:
            with world.database.writing() as connection:
                plan = take_plan(connection)
        if plan is None:
            bell.wait(POLL_SECONDS)
        else:
            answer_plan(world, plan)


def _listen(path: Path, tenders: dict[str, Tender], bell: threading.Event, stop: threading.Event) -> None:
    """Hears the doorbell: a datagram with a target's name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        path.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(path))
        path.chmod(0o600)
        sock.settimeout(POLL_SECONDS)
        while not stop.is_set():
            with suppress(TimeoutError):
                name = sock.recv(512).decode(errors="replace")
                for tender in _called(tenders, name):
                    tender.bell.set()
                bell.set()
    with suppress(FileNotFoundError):
        path.unlink()


def _called(tenders: dict[str, Tender], name: str) -> Iterable[Tender]:
    return [tenders[name]] if name in tenders else tenders.values()


def _guarded(loop: Callable[[], None], stop: threading.Event) -> Callable[[], None]:
    """`loop`, begun again when the database fails it or something unforeseen happens, until told to stop."""

    def go_on() -> None:
        while not stop.is_set():
            try:
                loop()
            except (SQLAlchemyError, GhostError, OSError) as error:
                _log.warning("begins again", error=f"{type(error).__name__}: {error}")
            except Exception:
                _log.exception("begins again after a fault of ours")
            stop.wait(POLL_SECONDS)

    return go_on
