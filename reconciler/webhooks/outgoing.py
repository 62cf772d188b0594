"""The way out: requests to addresses that tenants name, which never reach what only we can reach.

Each connection resolves the name itself, checks all its addresses, and goes to one that was checked; certificates are
those of the name. Nothing is taken from the environment, no redirect is followed, and everything has an end.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property

import httpcore
import httpx

from reconciler.webhooks.attempts import Answer
from state.addresses import Network
from state.journal.receivers import NotPublic, Resolve, Resolvers, checked, look_up, read_url

CONNECT, TOTAL = 5.0, 10.0
LARGEST_ANSWER = 16 * 1024
_LONGEST_MESSAGE = 200
_PAUSE = 0.02
_resolvers = Resolvers(threads=256, share=4)
_FAILURES = (
    NotPublic,
    ValueError,
    OSError,
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
)


class Line:
    """A line to one receiver, kept open between requests."""

    def __init__(self, url: str, pool: httpcore.AsyncConnectionPool, seconds: float) -> None:
        self._url, self._pool, self._seconds = url, pool, seconds

    async def post(self, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """What the receiver answers, in bounded time; of the answer's body nothing is kept.

        None if nothing was tried, since too many names of this owner are being looked up.
        """
        status: int | None = None
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        options = {"timeout": {"connect": CONNECT}}
        try:
            async with asyncio.timeout(self._seconds):
                url = _target(self._url)
                async with self._pool.stream(
                    "POST", url, headers=sent, content=body, extensions=options
                ) as answer:
                    status = answer.status
                    await _drain(answer)
        except _Crowded:
            return None
        except _FAILURES as error:
            return _answered(status, error)
        return _answered(status, None)


class _Crowded(Exception):  # noqa: N818 - no failure of anybody
    """No thread was free to look a name up."""


class Exchange:
    """Connects lines; `allowed` are networks that may be called although they are not public.

    `seconds` is how long a request may take, from the question for its name to the answer.
    """

    def __init__(
        self, allowed: Iterable[Network] = (), resolve: Resolve = look_up, seconds: float = TOTAL
    ) -> None:
        self._allowed, self._resolve, self._seconds = tuple(allowed), resolve, seconds

    @asynccontextmanager
    async def line(self, url: str, owner: str = "") -> AsyncIterator[Line]:
        """A line that is closed at the end; `owner` is whose names are looked up few at a time."""
        backend = Checking(self._allowed, self._resolve, owner, self._seconds / 4)
        async with httpcore.AsyncConnectionPool(
            ssl_context=self._certificates, max_connections=1, network_backend=backend
        ) as pool:
            yield Line(url, pool, self._seconds)

    @cached_property
    def _certificates(self) -> ssl.SSLContext:
        """Those of ``SSL_CERT_FILE``, if it is set, else those that browsers believe."""
        return httpx.create_ssl_context()


class Checking(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were checked, and to nothing else; waits `patience` seconds for who looks names up."""

    def __init__(
        self, allowed: tuple[Network, ...], resolve: Resolve, owner: str = "", patience: float = TOTAL
    ) -> None:
        self._allowed, self._resolve, self._owner, self._patience = allowed, resolve, owner, patience
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first address of the name that takes one. Raises NotPublic, OSError."""
        found = await self._addresses(host)
        failure: Exception = OSError("the name has no address")
        for address in checked(found, self._allowed):
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def _addresses(self, host: str) -> Sequence[str]:
        """Raises _Crowded, OSError."""
        deadline = time.monotonic() + self._patience
        while (asked := _resolvers.ask(self._resolve, host, self._owner)) is None:
            if time.monotonic() >= deadline:
                raise _Crowded
            await asyncio.sleep(_PAUSE)
        return await asyncio.wrap_future(asked)

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


def _target(url: str) -> httpcore.URL:
    """Raises ValueError for what is no URL to deliver to."""
    read = read_url(url)
    return httpcore.URL(scheme=read.raw_scheme, host=read.raw_host, port=read.port, target=read.raw_path)


async def _drain(answer: httpcore.Response) -> None:
    """Reads a short body, so that the line can be used again; a longer one is cut off with the line."""
    size = 0
    async for chunk in answer.aiter_stream():
        size += len(chunk)
        if size > LARGEST_ANSWER:
            return


def _answered(status: int | None, error: Exception | None) -> Answer:
    """The answer: once there is a status, whatever happened to its body does not matter."""
    if status is None:
        return Answer(None, _told(error)[:_LONGEST_MESSAGE])
    if 200 <= status < 300:
        return Answer(status)
    redirect = ": redirects are not followed" if 300 <= status < 400 else ""
    return Answer(status, f"the receiver answered {status}{redirect}")


def _told(error: Exception | None) -> str:
    if isinstance(error, NotPublic):
        return f"the name {error.message}"
    if isinstance(error, TimeoutError | httpcore.TimeoutException):
        return "no answer in time"
    if isinstance(error, ValueError):
        return f"its url {error}"
    if isinstance(error, httpcore.ProtocolError):
        return f"the answer is not HTTP: {error}"
    return f"no connection: {error}"
