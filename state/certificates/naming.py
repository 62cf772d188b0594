"""The names that a certificate is for, and how many authorities take."""

from collections.abc import Collection, Iterable

MOST_NAMES = 100
"""How many names Let's Encrypt puts into one certificate, and others no more."""


def all_names(domain: str, others: Iterable[str], *, below: bool) -> tuple[str, ...]:
    """All names of a certificate, its own first; `below`: every name right below that one too."""
    wild = (f"*.{domain}",) if below else ()
    return tuple(dict.fromkeys((domain, *others, *wild)))


def crowd(names: Collection[str]) -> str:
    """What is wrong with so many names for one certificate, and what to do; empty when nothing is."""
    over = len(names) - MOST_NAMES
    if over <= 0:
        return ""
    return f"{len(names)} names in all, and authorities take {MOST_NAMES}: leave out {over} or more"
