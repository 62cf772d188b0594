"""Being told to stop, in a way that cannot deadlock whatever the main thread is at just then."""

import os
import signal
import threading

_STOP = (signal.SIGTERM, signal.SIGINT)


def told_to_stop() -> threading.Event:
    """An event that SIGTERM and SIGINT set, from a thread of their own.

    A handler runs in the main thread between two instructions, maybe while that thread holds the event's lock: it must
    not ask for it (docs.python.org/3/library/signal.html, "Note on signal handlers and exceptions").
    """
    told = threading.Event()
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    threading.Thread(target=_listen, args=(reader, told), daemon=True).start()
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in _STOP:
        signal.signal(number, lambda *_: None)
    return told


def _listen(reader: int, told: threading.Event) -> None:
    while not told.is_set():
        if set(os.read(reader, 512)) & set(_STOP):
            told.set()
