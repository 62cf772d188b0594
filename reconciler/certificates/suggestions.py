"""When authorities suggest to renew, asked again and again (RFC 9773, section 4.3): they change their minds."""

import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import structlog

from reconciler.certificates.answers import Failed, Suggestion
from reconciler.certificates.decisions import not_told, suggested, suggestion_due
from reconciler.lease import Lease
from reconciler.survey import World
from state.certificates.chains import known_chain
from state.document import Document
from state.errors import GhostError, Superseded
from state.keeping import keep
from state.kinds.certificate import CERTIFICATE
from state.reading import get, of_kind

SECONDS, AT_ONCE = 600.0, 300
_log = structlog.get_logger()


class Suggestions:
    """Asks for the certificates of a target whose turn it is, one after the other, on a thread of its own."""

    def __init__(self, world: World, target: str, ask: Callable[[Document], Suggestion]) -> None:
        """`ask` asks the authority about one. It raises Failed."""
        self._world, self._target, self._ask = world, target, ask
        self._next = 0.0
        self._thread: threading.Thread | None = None

    def turn(self, lease: Lease) -> None:
        """Begins to ask, when it is time and nobody is at it."""
        if time.monotonic() < self._next or (self._thread and self._thread.is_alive()):
            return
        self._next = time.monotonic() + SECONDS
        with self._world.database.reading() as connection:
            found = of_kind(connection, CERTIFICATE.name, self._target)
        due = [document for document in found if suggestion_due(document, datetime.now(UTC))]
        if due:
            self._thread = threading.Thread(target=self._each, args=(lease, due[:AT_ONCE]), daemon=True)
            self._thread.start()

    def _each(self, lease: Lease, due: Iterable[Document]) -> None:
        try:
            for document in due:
                self._one(lease, document)
        except Superseded:
            return
        except Exception:
            _log.exception("authorities were not asked when to renew", target=self._target)

    def _one(self, lease: Lease, document: Document) -> None:
        """What was said is kept with the certificate that it was said of."""
        now = datetime.now(UTC)
        try:
            values = suggested(self._ask(document), now)
        except (Failed, OSError, GhostError) as error:
            _log.info("an authority did not say when to renew", document=document.name, error=str(error))
            values = not_told(now)
        with self._world.database.writing() as connection:
            lease.check(connection)
            if known_chain(get(connection, document.uid).kept) == known_chain(document.kept):
                keep(connection, document.uid, values)
