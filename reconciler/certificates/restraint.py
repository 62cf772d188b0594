"""What keeps us from asking an authority once more: what it said of others, what was had, and who has no room."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from reconciler.certificates.answers import Failed
from reconciler.certificates.proofs import Order
from state.certificates.authorities import synonyms
from state.certificates.jobs import limits, note_order, past
from state.certificates.limits import LEFT_ALONE, bound, last_third, left_alone
from state.claims import lock
from state.kinds.certificate import asked_of, names_of


def check_patience(connection: Connection, order: Order, now: datetime) -> None:
    """Raises Failed while the authority wants to be left alone by everyone."""
    provider, owner = asked_of(order.document)[0], order.document.owner
    called = synonyms(order.world.settings.authorities, provider)
    until = left_alone(limits(connection, called, now), owner, now)
    if until is not None:
        words = f"{provider} refused several certificates for too many requests: it is left alone a while"
        raise Failed(LEFT_ALONE, words, until - now)


def permit(order: Order, names: Sequence[str]) -> None:
    """Takes note of one more order. Raises Failed where enough was had or ordered, whatever became of it."""
    document, now = order.document, datetime.now(UTC)
    provider = asked_of(document)[0]
    called = synonyms(order.world.settings.authorities, provider)
    with order.world.database.writing() as connection:
        order.lease.check(connection)
        lock(connection, "acme/orders")
        found = bound(past(connection, document, called, names, now, order.job), provider, now)
        if found is None:
            note_order(connection, order.job, provider, names)
    if found is not None:
        ending = last_third(document.kept, provider) or found.until
        wait = min(found.until, ending) - now + timedelta(seconds=1)
        raise Failed(found.code, found.message, wait, names_of(document))


def sated(owners: Iterable[str], most: int) -> frozenset[str]:
    """Whoever has as many under way as there is room for others; `owners` are those of what is under way, `most` as
    much as can be. So one tenant gets half of the room, the next one half of the rest: nobody's slow authority keeps
    others from theirs."""
    counts = Counter(owners)
    room = most - counts.total()
    return frozenset(owner for owner, count in counts.items() if count >= room)
