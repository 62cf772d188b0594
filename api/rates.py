"""How often one may ask: requests are counted by who asks, in memory, or in Redis for several processes at once."""

import hashlib
import time
from dataclasses import dataclass
from enum import Enum
from math import ceil, floor
from typing import cast

import structlog
from limits import RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.storage.base import SlidingWindowCounterSupport
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from api.address import counted
from api.errors import TooMany
from api.metrics import RATE_LIMITED
from api.visit import Standing, Visit
from api.windows import Windows
from state.settings import Settings

PATIENCE = 5.0
_TIMEOUT = 0.25
MINUTE = 60
_log = structlog.get_logger()


class Rate(Enum):
    """The classes of requests that are counted apart; probes are counted (in memory), and never refused."""

    AUTHENTICATION = "authentication"
    USERS = "users"
    GENERAL = "general"
    FILES = "files"
    PROBES = "probes"


@dataclass(frozen=True, slots=True)
class _Counted:
    """What came of a hit: whether it was within the limit, how many are left, and when (in seconds) there are more."""

    within: bool
    remaining: int
    seconds: int


class Rates:
    """Counts requests, each class in windows of a minute that slide.

    While Redis does not answer, this process counts in memory by itself: the API goes on. Redis is asked again after
    `patience` seconds.
    """

    def __init__(
        self, settings: Settings, *, windows: Windows | None = None, patience: float = PATIENCE
    ) -> None:
        self._items = {
            rate: RateLimitItemPerMinute(_amount(settings, rate), namespace=rate.value) for rate in Rate
        }
        self._memory = SlidingWindowCounterRateLimiter(Windows() if windows is None else windows)
        self._shared = _shared(settings.redis_url) if settings.redis_url else None
        self._patience, self._lost, self._again = patience, False, 0.0

    @property
    def blocking(self) -> bool:
        """Whether counting may wait for somebody else."""
        return self._shared is not None

    def by_user(self, visit: Visit, rate: Rate, uid: str) -> None:
        """Counts a request of a user, whatever token was shown. Raises TooMany."""
        self._count(visit, rate, "user", uid)

    def by_address(self, visit: Visit, rate: Rate = Rate.GENERAL) -> None:
        """Counts a request by where it came from. Raises TooMany."""
        self._count(visit, rate, "address", counted(visit.address))

    def by_account(self, visit: Visit, name: str, *, familiar: bool) -> None:
        """Counts an attempt to become a user. Raises TooMany.

        From an address that is familiar with the account (it got in from there before) attempts are counted apart:
        so strangers, be they ever so many, use up what strangers may, and never what the owner may.
        """
        digest = hashlib.sha256(name.casefold().encode("utf-8", "replace")).hexdigest()[:32]
        self._count(visit, Rate.AUTHENTICATION, "account", digest, counted(visit.address) if familiar else "")

    def _count(self, visit: Visit, rate: Rate, *key: str) -> None:
        item = self._items[rate]
        found = self._hit(item, key)
        standing = Standing(item.amount, found.remaining, ceil(time.time()) + found.seconds)
        if visit.standing is None or standing.remaining <= visit.standing.remaining:
            visit.standing = standing
        if not found.within and rate is not Rate.PROBES:
            wait = found.seconds
            RATE_LIMITED.labels(rate.value).inc()
            raise TooMany(f"too many requests: try again in {wait} s", retry_after=wait, rate=rate.value)

    def _hit(self, item: RateLimitItemPerMinute, key: tuple[str, ...]) -> _Counted:
        if (
            self._shared is not None
            and item.namespace != Rate.PROBES.value
            and time.monotonic() >= self._again
        ):
            try:
                found = _hit(self._shared, item, key)
            except RedisError as error:
                self._lose(error)
            else:
                self._recover()
                return found
        return _hit(self._memory, item, key)

    def _lose(self, error: RedisError) -> None:
        self._again = time.monotonic() + self._patience
        if not self._lost:
            self._lost = True
            _log.warning("Redis does not answer: rates are counted in memory", error=type(error).__name__)

    def _recover(self) -> None:
        if self._lost:
            self._lost = False
            _log.info("Redis answers again: rates are counted there")


def _hit(
    limiter: SlidingWindowCounterRateLimiter, item: RateLimitItemPerMinute, key: tuple[str, ...]
) -> _Counted:
    within = limiter.hit(item, *key)
    window = cast("SlidingWindowCounterSupport", limiter.storage).get_sliding_window(
        item.key_for(*key), MINUTE
    )
    left, seconds = what_is_left(item.amount, *window)
    return _Counted(within, left if within else 0, seconds)


def what_is_left(
    limit: int, previous: int, previous_ends: float, current: int, current_ends: float
) -> tuple[int, int]:
    """How many more are let in now, and in how many seconds there are more: one if there are none, else all.

    The windows' ends are seconds from now: the previous one weighs less and less until its end, which is where the
    current one becomes the previous.
    """
    weight = floor(previous * previous_ends / MINUTE)
    left = max(0, limit - weight - current)
    shift = max(0.0, current_ends - MINUTE)
    if left or current >= limit:
        return left, floor(shift) + 1
    return 0, floor(previous_ends - (limit - current) * MINUTE / previous) + 1


def _shared(url: str) -> SlidingWindowCounterRateLimiter:
    """Counters in Redis, which is given little time: a request waits for it."""
    retry = Retry(NoBackoff(), 1)
    options = {"socket_timeout": _TIMEOUT, "socket_connect_timeout": _TIMEOUT, "retry": retry}
    return SlidingWindowCounterRateLimiter(RedisStorage(url, key_prefix="ghostcp:rates", **options))  # type: ignore[arg-type]


def _amount(settings: Settings, rate: Rate) -> int:
    return {
        Rate.AUTHENTICATION: settings.rate_authentication,
        Rate.USERS: settings.rate_users,
        Rate.GENERAL: settings.rate_general,
        Rate.FILES: settings.rate_files,
        Rate.PROBES: settings.rate_general,
    }[rate]
