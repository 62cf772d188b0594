"""Zones from the servers that have them (AXFR, RFC 5936), of bounded time and size, and never from where only we can
reach."""

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import TimeoutError as TooLate

import dns.exception
import dns.name
import dns.query
import dns.tsig

from api.errors import NoTransfer, TooMany
from api.zone_wish import TransferKey
from state.addresses import Network
from state.dns.master import MOST_RECORDS
from state.errors import Fault, Invalid
from state.journal.receivers import NotPublic, Resolve, Resolvers, checked, look_up

SECONDS, LOOK_UP = 20.0, 5.0
MOST_LINES = 5 * MOST_RECORDS
_AT_ONCE = 4
_transfers = Resolvers(threads=_AT_ONCE, share=1)


def transfer(
    zone: str,
    server: str,
    port: int,
    key: TransferKey | None,
    *,
    allowed: Iterable[Network],
    owner: str,
    resolve: Resolve = look_up,
) -> str:
    """The zone as the server hands it over, as the text of a zone file, a line for each record.

    One at a time for each `owner`. Raises Invalid for a server that may not be asked, NoTransfer, TooMany.
    """

    def work(host: str) -> Sequence[str]:
        return _fetched(zone, _addresses(host, allowed, resolve), port, key)

    asked = _transfers.ask(work, server, owner)
    if asked is None:
        raise TooMany("another zone is being transferred: try again when it is there", retry_after=5)
    try:
        return "\n".join(asked.result(SECONDS + LOOK_UP))
    except TooLate:
        raise NoTransfer(f"{server} did not hand {zone} over in time") from None


def _addresses(host: str, allowed: Iterable[Network], resolve: Resolve) -> Sequence[str]:
    """The addresses of a server that may be asked. Raises Invalid, NoTransfer."""
    try:
        return checked(resolve(host), allowed)
    except NotPublic as error:
        raise Invalid([Fault("server", error.message)]) from None
    except OSError as error:
        raise NoTransfer(f"{host}: {error}") from None


def _fetched(zone: str, addresses: Sequence[str], port: int, key: TransferKey | None) -> Sequence[str]:
    """The lines of the zone from the first of these addresses that takes a connection. Raises NoTransfer, Invalid."""
    deadline, failure = time.monotonic() + SECONDS, "the server has no address"
    for address in addresses:
        try:
            return list(_lines(zone, address, port, key, deadline - time.monotonic()))
        except (dns.exception.DNSException, OSError, EOFError) as error:
            failure = f"{address} did not hand {zone} over: {error or type(error).__name__}"
    raise NoTransfer(failure)


def _lines(zone: str, address: str, port: int, key: TransferKey | None, seconds: float) -> Iterator[str]:
    keyring, name, algorithm = None, None, dns.tsig.default_algorithm
    if key is not None:
        name, algorithm = dns.name.from_text(key.name), dns.name.from_text(key.algorithm)
        keyring = {name: dns.tsig.Key(name, key.secret, algorithm)}
    messages = dns.query.xfr(
        address, zone, port=port, keyring=keyring, keyname=name, keyalgorithm=algorithm,
        relativize=False, timeout=SECONDS / 2, lifetime=max(seconds, 0),
    )  # fmt: skip
    count = 0
    for message in messages:
        for rrset in message.answer:
            lines = rrset.to_text().split("\n")
            count += len(lines)
            if count > MOST_LINES:
                raise Invalid([Fault("server", f"the zone has more than {MOST_LINES} records")])
            yield from lines
