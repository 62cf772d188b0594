"""Where deliveries may go: an address of the web whose name leads to public addresses only, each time it is asked."""

import socket
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

import httpx

from state.addresses import Network, may_be_called
from state.errors import GhostError

LONGEST_URL = 2048
FORBIDDEN = "leads to an address that is not public: an operator may allow its network"
Resolve = Callable[[str], Sequence[str]]


class NotPublic(GhostError):  # noqa: N818 - the trade's words, not suffixes
    """A name that leads, or also leads, to where nothing may be sent."""

    code = "forbidden_address"


def read_url(text: str) -> httpx.URL:
    """The URL, if it can be one to deliver to. Raises ValueError saying what is wrong."""
    if len(text) > LONGEST_URL or not text.isprintable() or " " in text or "\\" in text:
        raise ValueError(f"must be a URL of at most {LONGEST_URL} characters, without spaces or backslashes")
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise ValueError("must be a URL such as https://example.com/hook") from None
    if url.scheme not in {"http", "https"} or not url.raw_host:
        raise ValueError("must be a URL that begins with https:// or http://")
    if url.userinfo or url.fragment:
        raise ValueError("must have no user name, password or fragment: the secret proves who sends")
    if url.port is not None and url.port not in {80, 443} and not 1024 <= url.port <= 65535:
        raise ValueError("must have the port 80, 443, or one from 1024")
    return url


def look_up(host: str) -> Sequence[str]:
    """The addresses of a host, as the system resolves names. Raises OSError."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (UnicodeError, socket.gaierror):
        raise OSError("the name cannot be resolved") from None
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


class Resolvers:
    """Threads that look names up, of which nobody occupies more than a few: a name server may take its time."""

    def __init__(self, threads: int, share: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="resolver")
        self._threads, self._share = threads, share
        self._occupied: Counter[str] = Counter()
        self._lock = Lock()

    def ask(self, resolve: Resolve, host: str, owner: str) -> Future[Sequence[str]] | None:
        """The addresses of a host, when they are known; None while no thread is free for this owner."""
        with self._lock:
            if self._occupied[owner] >= self._share or self._occupied.total() >= self._threads:
                return None
            self._occupied[owner] += 1
        asked = self._pool.submit(resolve, host)
        asked.add_done_callback(lambda _: self._release(owner))
        return asked

    def _release(self, owner: str) -> None:
        """Only now, also when nobody waits any more: the thread was occupied until now."""
        with self._lock:
            self._occupied[owner] -= 1
            if not self._occupied[owner]:
                del self._occupied[owner]


def checked(addresses: Iterable[str], allowed: Iterable[Network]) -> tuple[str, ...]:
    """The addresses, if every one of them may be called. Raises NotPublic."""
    found = tuple(addresses)
    if not all(may_be_called(address, allowed) for address in found):
        raise NotPublic(FORBIDDEN)
    return found
