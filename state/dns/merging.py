"""Bringing the records of a zone file into a zone: what is new, what is another one then, and what has to go."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from state.dns.master import Line
from state.dns.zone import Entry


@dataclass(frozen=True, slots=True)
class Merge:
    """`changed` are records that only get another time to live, as they are and as the file has them; `lost` are those
    of the `removed` in whose place nothing comes."""

    added: tuple[Line, ...] = ()
    changed: tuple[tuple[Entry, Line], ...] = ()
    removed: tuple[Entry, ...] = ()
    lost: frozenset[Entry] = frozenset()
    unchanged: int = 0


def merge(served: Sequence[Entry], lines: Sequence[Line], *, replace: bool) -> Merge:
    """What is to be done to records that are served, so that those of the file are too, or (`replace`) they alone."""
    there = {_key(entry): entry for entry in served}
    wanted = {_key(line.entry): line for line in lines}
    same = [(there[key], line) for key, line in wanted.items() if key in there]
    changed = tuple((entry, line) for entry, line in same if entry.ttl != line.entry.ttl)
    added = tuple(line for key, line in wanted.items() if key not in there)
    removed = tuple(entry for key, entry in there.items() if key not in wanted) if replace else ()
    return Merge(
        added=added,
        changed=changed,
        removed=removed,
        lost=frozenset(_lost(removed, [line.entry for line in added])),
        unchanged=len(same) - len(changed),
    )


def beyond(lines: Sequence[Line], template: Sequence[Entry]) -> tuple[Line, ...]:
    """The records without those of a name and type that are just the ones a zone's template gives.

    Where one of these differs all are kept: what is written takes the place of all that the template gives.
    """
    wanted, given = _sets(line.entry for line in lines), _sets(template)
    return tuple(
        line for line in lines if wanted[(key := (line.entry.name, line.entry.type))] != given.get(key)
    )


def _lost(removed: Iterable[Entry], added: Iterable[Entry]) -> Iterator[Entry]:
    """What goes and neither has another record of its name and type come in its place, nor one on account of which a
    CNAME cannot be there."""
    coming = Counter((entry.name, entry.type) for entry in added)
    names, aliases = {name for name, _ in coming}, {name for name, kind in coming if kind == "CNAME"}
    for entry in removed:
        key = (entry.name, entry.type)
        if coming[key]:
            coming[key] -= 1
        elif entry.name not in (names if entry.type == "CNAME" else aliases):
            yield entry


def _sets(entries: Iterable[Entry]) -> dict[tuple[str, str], set[tuple[int, str]]]:
    """What there is of each name and type: times to live and texts."""
    found: dict[tuple[str, str], set[tuple[int, str]]] = {}
    for entry in entries:
        found.setdefault((entry.name, entry.type), set()).add((entry.ttl, entry.text))
    return found


def _key(entry: Entry) -> tuple[str, str, str]:
    return entry.name, entry.type, entry.text
