"""Tenders of external providers, which come and go while a worker runs: an operator sets them up at any time."""

import threading
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass

import structlog

from reconciler.pulse import Pulse
from reconciler.survey import World
from reconciler.tender import POLL_SECONDS, Tender
from state.targets import PREFIX
from state.zones.providers import list_providers

Guard = Callable[[Callable[[], None], threading.Event], Callable[[], None]]
_log = structlog.get_logger()


@dataclass(frozen=True)
class _Tended:
    tender: Tender
    stop: threading.Event
    threads: tuple[threading.Thread, ...]


class Tending:
    """Keeps one tender for each provider that is set up; `tenders` are those that rings go to, by target."""

    def __init__(
        self,
        world: World,
        stop: threading.Event,
        pulse: Pulse,
        tenders: MutableMapping[str, Tender],
        guarded: Guard,
    ) -> None:
        self._world, self._stop, self._pulse = world, stop, pulse
        self._tenders, self._guarded = tenders, guarded
        self._tended: dict[str, _Tended] = {}

    def loop(self) -> None:
        """Looks for providers until told to stop, and waits for the work that is under way then."""
        while not self._stop.is_set():
            with self._world.database.reading() as connection:
                wanted = {f"{PREFIX}{each.name}" for each in list_providers(connection)}
            for target in wanted - self._tended.keys():
                self._begin(target)
            for target in self._tended.keys() - wanted:
                self._end(target)
            self._stop.wait(POLL_SECONDS)
        ended = [self._end(target) for target in list(self._tended)]
        for thread in (thread for each in ended for thread in each.threads):
            thread.join()

    def _begin(self, target: str) -> None:
        stop = threading.Event()
        tender = Tender(self._world, target, stop, self._pulse)
        loops = (tender.passes, tender.sweeps, tender.jobs)
        threads = tuple(threading.Thread(target=self._guarded(each, stop), daemon=True) for each in loops)
        self._tended[target] = _Tended(tender, stop, threads)
        self._tenders[target] = tender
        for thread in threads:
            thread.start()
        _log.info("tends a provider", target=target)

    def _end(self, target: str) -> _Tended:
        tended = self._tended.pop(target)
        self._tenders.pop(target, None)
        tended.stop.set()
        tended.tender.ring()
        return tended
