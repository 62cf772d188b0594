"""A bound on what a provider's package may compute: it is not ours, and may go on for ever over one odd value."""

import ctypes
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.providers.faults import Overtime

LOOK_SECONDS = 0.25


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Raises Overtime in the calling thread once it has used so much time of its processor in here.

    What it waits for, such as an answer, is not counted: that has bounds of its own.
    """
    me = threading.get_ident()
    clock = time.pthread_getcpuclockid(me)
    until, done = time.clock_gettime(clock) + seconds, threading.Event()

    def watch() -> None:
        while not done.wait(LOOK_SECONDS):
            if time.clock_gettime(clock) > until:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(me), ctypes.py_object(Overtime))
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
