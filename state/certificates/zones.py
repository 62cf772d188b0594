"""In which zones of this control plane the names of a certificate are, so that dns-01 can be answered there."""

from collections.abc import Iterable

from state.compiling import Related
from state.document import Document, Ref
from state.names import parents


def zone_refs(names: Iterable[str]) -> tuple[Ref, ...]:
    """The zones that these names could be in, of each name the nearest first; none of them needs to be there."""
    found = dict.fromkeys(zone for name in names for zone in _above(name.removeprefix("*.")))
    return tuple(Ref("DnsZone", zone, weak=True) for zone in found)


def zone_of(name: str, owner: str, related: Related) -> Document | None:
    """The zone that a name is in, if it is the owner's and served."""
    there = (related(ref) for ref in zone_refs((name,)))
    zone = next((each for each in there if each is not None), None)
    served = zone is not None and zone.owner == owner and getattr(zone.spec, "is_active", False)
    return zone if served else None


def _above(name: str) -> tuple[str, ...]:
    return (name, *parents(name))
