"""How long each phase of a batch takes."""

import contextlib
import time
from collections.abc import Iterator


class Clock:
    """Seconds by phase, added up over repetitions, and in all."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self.phases: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, phase: str) -> Iterator[None]:
        started = time.monotonic()
        try:
            yield
        finally:
            self.phases[phase] = round(self.phases.get(phase, 0.0) + time.monotonic() - started, 4)

    @property
    def elapsed(self) -> float:
        return round(time.monotonic() - self._started, 4)
