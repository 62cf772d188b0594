"""One batch at a time on a host, and none from a controller that has been superseded."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator

from .host import Host, write_atomically

LOCK, FENCE = "/run/ghostcp/apply.lock", "/var/lib/ghostcp/fence"
SECONDS = 60.0


class FencedError(Exception):
    """A younger token has been seen: this controller's lease is over, or its database was restored."""

    def __init__(self, token: int, highest: int) -> None:
        super().__init__(f"token {token} is older than {highest}")
        self.highest = highest


@contextlib.contextmanager
def exclusive(host: Host, seconds: float = SECONDS) -> Iterator[None]:
    """Hold the host's lock; TimeoutError when another batch keeps it."""
    path = host.path(LOCK)
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + seconds
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError("another batch is still being applied: try again later") from None
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


def pass_fence(host: Host, token: int) -> None:
    """Remember the token; FencedError when a higher one was seen before. Hold the lock."""
    path = host.path(FENCE)
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    highest = _highest(path)
    if token < highest:
        raise FencedError(token, highest)
    if token > highest:
        write_atomically(path, f"{token}\n".encode())


def _highest(path: str) -> int:
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read())
    except FileNotFoundError:
        return -1
