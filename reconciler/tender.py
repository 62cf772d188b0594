"""The tender of one target: passes as soon as something is pending, sweeps on a slow clock, jobs when they are due."""

import random
import threading
import time
from contextlib import suppress
from functools import partial

import structlog
from structlog.contextvars import bind_contextvars

from reconciler.certificates.clerk import Clerk
from reconciler.dnssec.lookout import Lookout
from reconciler.errands import Errands, Means
from reconciler.lease import Contender, Lease
from reconciler.loop import Pass, reconcile
from reconciler.pulse import Pulse
from reconciler.survey import World
from reconciler.sweep import Sweep, sweep
from state.errors import Superseded, Temporary, Unreachable
from state.loops import JOBS, PASS, SWEEP
from state.statuses import wake
from state.targets import seen
from state.templates import stamp

POLL_SECONDS = 1.0
LONGEST_BACKOFF = 60.0
TEMPLATE_SECONDS = 2.0
_log = structlog.get_logger()


class Tender:
    """Looks after one target: passes as soon as something is pending, sweeps on a slow clock of their own."""

    def __init__(self, world: World, target: str, stop: threading.Event, pulse: Pulse) -> None:
        self.bell = threading.Event()
        self.still = threading.Lock()
        self._errand = threading.Event()
        self._passing = threading.Lock()
        self._world = world
        self._target = target
        self._stop = stop
        self._pulse = pulse
        self._retries: dict[str, tuple[int, float]] = {}
        self._misses = 0
        self._lookout = Lookout(world, target)
        self._lease: Lease | None = None

    def ring(self) -> None:
        """Wakes the loops that wait: something may be to be done."""
        self.bell.set()
        self._errand.set()

    def passes(self) -> None:
        """Holds the target's lease and passes over what is pending until told to stop."""
        bind_contextvars(target=self._target)
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
        bind_contextvars(target=self._target)
        while not self._stop.is_set():
            self._sweep()
            self._rest(self._world.settings.sweep_seconds * random.uniform(0.9, 1.1))  # noqa: S311

    def _sweep(self) -> None:
        try:
            with self._pulse.turn(SWEEP, self._target) as turn:
                found = sweep(self._world, self._target, self.still)
        except Unreachable as error:
            with self._world.database.writing() as connection:
                seen(connection, self._target, None, str(error))
            _log.warning("host not reached", error=str(error))
        except Temporary as error:
            _log.warning("sweep failed", error=str(error))
        else:
            seconds, drifted = round(turn.seconds, 2), len(found.drifted)
            _log.info("swept", resources=found.resources, drifted=drifted, seconds=seconds)
            self._lookout.ask(found.leaving)
            self.bell.set()

    def _rest(self, seconds: float) -> None:
        """Waits between sweeps, no longer than until an operator's template changes."""
        folders, until = self._world.settings.template_folders, time.monotonic() + seconds
        known = stamp(folders)
        while not self._stop.wait(min(TEMPLATE_SECONDS, max(0.0, until - time.monotonic()))):
            if time.monotonic() >= until or stamp(folders) != known:
                return

    def jobs(self) -> None:
        """Does the jobs that were asked for or have come due, while the target is ours."""
        bind_contextvars(target=self._target)
        errands = Errands()
        while not self._stop.is_set():
            self._errand.clear()
            lease, done = self._lease, False
            with suppress(Superseded):
                if lease is not None and not lease.lost.is_set():
                    done = self._next(errands, lease)
            if not done:
                self._errand.wait(POLL_SECONDS)

    def certificates(self) -> None:
        """Has certificates issued and renewed, while the target is ours, beside all else: it takes its time."""
        bind_contextvars(target=self._target)
        clerk = Clerk(self._world, self._target, self._stop)
        while not self._stop.is_set():
            lease = self._lease
            with suppress(Superseded):
                if lease is not None and not lease.lost.is_set():
                    clerk.turn(lease)
            self._stop.wait(POLL_SECONDS)

    def lookouts(self) -> None:
        """Looks at what the DNS says of zones that are to be signed no more, while the target is ours."""
        bind_contextvars(target=self._target)
        while not self._stop.is_set():
            lease = self._lease
            with suppress(Superseded):
                if lease is not None and not lease.lost.is_set() and self._lookout.turn(lease):
                    self.bell.set()
            self._stop.wait(POLL_SECONDS)

    def _next(self, errands: Errands, lease: Lease) -> bool:
        means = Means(self._world, lease, partial(self._settle, lease), self._swept_for)
        with self._pulse.turn(JOBS, self._target) as turn:
            done = errands.next(means)
            turn.idle = not done
        return done

    def _settle(self, lease: Lease) -> None:
        """Passes until nothing is pending that can be done now."""
        while self._pass(lease).again:
            pass

    def _swept_for(self, job: str) -> Sweep:
        with self._pulse.turn(SWEEP, self._target):
            found = sweep(self._world, self._target, self.still, job)
        self._lookout.ask(found.leaving)
        self.bell.set()
        return found

    def _hold(self, lease: Lease) -> None:
        self._lease = lease
        while not self._stop.is_set() and not lease.lost.is_set():
            self.bell.clear()
            if not self._pass(lease).again:
                self.bell.wait(POLL_SECONDS)
            if self._misses:
                self._stop.wait(min(2.0**self._misses, LONGEST_BACKOFF))

    def _pass(self, lease: Lease) -> Pass:
        """One pass; what is to be tried again is remembered."""
        with self._passing:
            self._wake_due()
            done = self._reconcile(lease)
            self._misses = self._misses + 1 if done.postponed else 0
            self._lookout.ask(done.leaving)
            now = time.monotonic()
            for uid in done.retry:
                tries = self._retries.get(uid, (0, now))[0] + 1
                delay = 0.0 if done.again and tries == 1 else min(2.0 ** (tries - 1), LONGEST_BACKOFF)
                self._retries[uid] = (tries, now + delay)
            if done.documents and not done.again and not done.retry:
                self._forget_old(now)
        return done

    def _reconcile(self, lease: Lease) -> Pass:
        with self.still, self._pulse.turn(PASS, self._target) as turn:
            done = reconcile(self._world, lease)
            turn.idle, turn.failed = not done.documents, done.postponed
        if done.documents:
            seconds, retry = round(turn.seconds, 2), len(done.retry)
            _log.info(
                "passed", documents=done.documents, retry=retry, postponed=done.postponed, seconds=seconds
            )
        return done

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
