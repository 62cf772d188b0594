"""Sliding windows in memory for `limits`: bounded, and on a clock that nobody can set.

The library's own memory keeps a key for as many addresses as ask, and goes by the wall clock, which locks everybody
out for as long as it was put back.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import floor
from threading import Lock

from limits.storage import Storage
from limits.storage.base import SlidingWindowCounterSupport

KEYS = 50_000


@dataclass(slots=True)
class _Window:
    began: float
    previous: int = 0
    current: int = 0


class Windows(Storage, SlidingWindowCounterSupport):
    """The counters of the last two windows of each key, which begin at its first hit; the keys that were idle longest
    are forgotten first."""

    STORAGE_SCHEME = None

    def __init__(self, clock: Callable[[], float] = time.monotonic, keys: int = KEYS) -> None:
        super().__init__()
        self._clock, self._keys, self._lock = clock, keys, Lock()
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def __len__(self) -> int:
        return len(self._windows)

    def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        with self._lock:
            now = self._clock()
            window = self._at(key, expiry, now)
            before = window.previous * (window.began + expiry - now) / expiry
            if floor(before) + window.current + amount > limit:
                return False
            window.current += amount
            return True

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        with self._lock:
            now = self._clock()
            window = self._at(key, expiry, now)
            left = window.began + expiry - now
            return window.previous, left if window.previous else 0.0, window.current, left + expiry

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        self.clear(key)

    def _at(self, key: str, expiry: int, now: float) -> _Window:
        """The key's window as it is now, last in the row."""
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = _Window(now)
            if len(self._windows) > self._keys:
                self._windows.popitem(last=False)
            return window
        self._windows.move_to_end(key)
        age = now - window.began
        if age >= 2 * expiry:
            window.began, window.previous, window.current = now, 0, 0
        elif age >= expiry:
            window.began, window.previous, window.current = window.began + expiry, window.current, 0
        return window

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return ()

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        raise NotImplementedError("only sliding windows are counted here")

    def get(self, key: str) -> int:
        window = self._windows.get(key)
        return window.current if window else 0

    def get_expiry(self, key: str) -> float:
        raise NotImplementedError("only sliding windows are counted here")

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        with self._lock:
            count = len(self._windows)
            self._windows.clear()
            return count

    def clear(self, key: str) -> None:
        with self._lock:
            self._windows.pop(key, None)
