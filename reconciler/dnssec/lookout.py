"""Looking at what is above zones that are to be signed no more, beside passes: it may take seconds."""

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.dnssec.above import look_above, served_serial
from reconciler.lease import Lease
from reconciler.subject import Subject
from reconciler.survey import World
from state import reading
from state.dns.signing import after_look, leaves
from state.document import Document
from state.keeping import keep
from state.kinds.dns_zone import DnsZone
from state.statuses import wake
from state.targets import get_target
from state.zones.delegations import published_here

AT_ONCE = 32
Look = Callable[[Document], Mapping[str, Any]]


def leaving(documents: Iterable[Document]) -> frozenset[str]:
    """The zones (by uid) that are signed still and are to be so no more."""
    return frozenset(document.uid for document in documents if _leaves(document))


class Lookout:
    """Remembers of which zones it was asked, and looks when it is its turn."""

    def __init__(self, world: World, target: str) -> None:
        self._world, self._target = world, target
        self._lock, self._asked = threading.Lock(), set[str]()

    def ask(self, uids: Iterable[str]) -> None:
        """Has a look at these zones made soon."""
        with self._lock:
            self._asked.update(uids)

    def turn(self, lease: Lease) -> bool:
        """Looks at some; whether there is something new of any, which a pass is to see. Raises Superseded."""
        with self._lock:
            uids = [self._asked.pop() for _ in range(min(AT_ONCE, len(self._asked)))]
        if not uids:
            return False
        with self._world.database.reading() as connection:
            documents = [d for d in reading.by_uid(connection, uids) if _leaves(d)]
        news = _news(documents, looking(self._world, self._target))
        if news:
            with self._world.database.writing() as connection:
                lease.check(connection)
                for uid, values in news.items():
                    keep(connection, uid, values)
                wake(connection, news)
        return bool(news)


def as_seen(world: World, subject: Subject, touched: Iterable[str]) -> Subject:
    """The subject as a look would leave those of its zones that are to change, for a dry run: nothing is stored."""
    found = [d for uid in touched if (d := subject.documents.get(uid)) and _leaves(d)]
    news = _news(found[:AT_ONCE], looking(world, subject.target))
    documents = {
        uid: replace(d, kept={**d.kept, **news.get(uid, {})}) for uid, d in subject.documents.items()
    }
    return replace(subject, documents=documents)


def looking(world: World, target: str) -> Look:
    """How a zone of a target is looked at: what is to be remembered of it then."""
    with world.database.reading() as connection:
        facts = get_target(connection, target).facts
    settings, addresses = world.settings, (*facts.ipv4, *facts.ipv6)

    def look(document: Document) -> Mapping[str, Any]:
        with world.database.reading() as connection:
            seen = published_here(connection, document.name)
        seen = seen or look_above(settings.resolvers, document.name)
        serial, hold = served_serial(addresses, document.name), timedelta(seconds=settings.ds_hold_seconds)
        forced = getattr(document.spec, "ds_ignored", False)
        return after_look(document.kept, seen, serial, datetime.now(UTC), hold, forced=forced)

    return look


def _leaves(document: Document) -> bool:
    spec = document.spec
    if not isinstance(spec, DnsZone) or document.deleted or not spec.is_active:
        return False
    return leaves(spec.dnssec_enabled, document.kept)


def _news(documents: list[Document], look: Look) -> dict[str, Mapping[str, Any]]:
    """What is new of these zones, by uid; many are looked at at the same time."""
    if not documents:
        return {}
    with ThreadPoolExecutor(len(documents)) as pool:
        looked = list(zip(documents, pool.map(look, documents), strict=True))
    return {d.uid: values for d, values in looked if any(d.kept.get(n) != v for n, v in values.items())}
