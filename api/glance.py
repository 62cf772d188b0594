"""A glance at the vital signs: so that scrapers, however many, cost the database what one does."""

import time
from collections.abc import Callable
from datetime import datetime
from threading import Lock

import structlog
from sqlalchemy.exc import SQLAlchemyError

from api.metrics import DATABASE_ERRORS
from state.database import Database
from state.vitals import Vitals, vitals

FRESH_SECONDS = 10.0
_log = structlog.get_logger()


class Glance:
    """Looks anew, in one thread at a time, when the last look is too old."""

    def __init__(self, fresh: float = FRESH_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._fresh, self._clock, self._lock = fresh, clock, Lock()
        self._at = 0.0
        self._seen: Vitals | None = None

    def look(self, database: Database, now: datetime) -> Vitals | None:
        """None when the database does not answer."""
        with self._lock:
            if self._seen is None or self._clock() - self._at >= self._fresh:
                self._seen, self._at = _seen(database, now), self._clock()
            return self._seen


def _seen(database: Database, now: datetime) -> Vitals | None:
    try:
        with database.reading() as connection:
            return vitals(connection, now)
    except SQLAlchemyError as error:
        DATABASE_ERRORS.inc()
        _log.warning("the database did not serve a scrape", error=type(error).__name__)
        return None
