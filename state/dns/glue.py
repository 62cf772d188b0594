"""Whether wildcards give names of a zone an address (RFC 4592, section 3.3.1)."""

from collections.abc import Set

from state.dns.names import APEX, above


def by_wildcard(name: str, addressed: Set[str], there: Set[str], cuts: Set[str]) -> bool:
    """Whether a name that has no address of its own has that of a wildcard.

    `addressed` has the names with an address, `there` all names that have something at them or below, `cuts` those
    where the zone ends. A wildcard stands for no name that is there, and for none beyond a cut.
    """
    path = list(above(name))
    if name in there or name == APEX or not cuts.isdisjoint(path):
        return False
    closest = next((up for up in path if up in there), APEX)
    return ("*" if closest == APEX else f"*.{closest}") in addressed
