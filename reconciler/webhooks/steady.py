"""Time that nobody can set: the clock as it was when it was first asked, and what has passed since."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class Steady:
    """Waits and failures are measured by it, so that a clock that jumps neither gives up nor forgets anything."""

    def __init__(
        self,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        passed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._passed = passed
        self._start, self._began = wall(), passed()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed() - self._began)
