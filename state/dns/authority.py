"""The start of authority (RFC 1035, section 3.3.13), and its contact as an e-mail address (section 8)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import dns.exception
import dns.ttl

from state.dns.names import absolute, target_name

_FIRST = re.compile(r"((?:[^.\\]|\\.)+)\.(.+)")


@dataclass(frozen=True, slots=True)
class Start:
    """The start of authority; names are whole, times in seconds."""

    primary: str
    contact: str
    refresh: int
    retry: int
    expire: int
    minimum: int


def mailbox(address: str) -> str:
    """An e-mail address as a name."""
    local, _, domain = address.rpartition("@")
    return f"{local.replace('.', chr(92) + '.')}.{domain.rstrip('.')}."


def address_of(contact: str) -> str:
    """The e-mail address that a name stands for, the other way round. Raises ValueError."""
    match = _FIRST.fullmatch(contact.removesuffix("."))
    if match is None:
        raise ValueError(f"{contact!r} stands for no e-mail address")
    return f"{match[1].replace(chr(92), '')}@{match[2]}"


def read_start(words: Sequence[str], origin: str, zone: str) -> tuple[Start, int]:
    """The start of authority and the serial that the words of a zone file are. Raises ValueError."""
    if len(words) != 7:
        raise ValueError("an SOA is two names and five numbers")
    primary = target_name(absolute(words[0], origin), zone)
    contact = absolute(words[1], origin).lower()
    if not words[2].isdecimal() or int(words[2]) >= 2**32:
        raise ValueError(f"{words[2]!r} is no serial")
    try:
        refresh, retry, expire, minimum = map(dns.ttl.from_text, words[3:])
    except dns.exception.DNSException as error:
        raise ValueError(f"an SOA ends in four times: {error}") from None
    return Start(primary, contact, refresh, retry, expire, minimum), int(words[2])
