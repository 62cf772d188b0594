"""Looking at many things by turns, where each look costs: what was seen before is believed for a while.

Of many only those are looked at anew that are not what they were, and some of the others, those that were looked at
longest ago. What was not found is never believed.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from .host import Host, write_atomically
from .wire import Observed

Marks = Sequence[object]
"""What tells whether a thing is still what it was; nothing where that cannot be told."""
Known = dict[str, list[object]]
"""What was seen by name: its attributes, its marks, and when (seconds since boot)."""


def look(
    host: Host,
    memory: str,
    names: Sequence[str],
    mark: Callable[[str], Marks],
    see: Callable[[Sequence[str]], Observed],
    most: int,
) -> Observed:
    """What is found of each name. Up to `most` are all looked at; of more, so many in any case."""
    if len(names) <= most:
        return see(names)
    known, marks = _memory(host, memory), {name: list(mark(name)) for name in names}
    old = [name for name in names if name in known and marks[name] and known[name][1] == marks[name]]
    old.sort(key=lambda name: float(str(known[name][2])))
    believed = frozenset(old[most:])
    seen = see([name for name in names if name not in believed])
    now = time.monotonic()
    fresh = {name: [it, marks[name], now] for name, it in seen.items() if it is not None}
    _remember(host, memory, {name: known[name] for name in believed} | fresh)
    found = seen | {name: dict(known[name][0]) for name in believed}  # type: ignore[call-overload]
    return {name: found[name] for name in names}


def forget(host: Host, memory: str, names: Iterable[str]) -> None:
    """Has these names looked at anew the next time."""
    known, gone = _memory(host, memory), frozenset(names)
    if not gone.isdisjoint(known):
        _remember(host, memory, {name: it for name, it in known.items() if name not in gone})


def _memory(host: Host, place: str) -> Known:
    with contextlib.suppress(OSError, ValueError), open(host.path(place), encoding="utf-8") as file:
        known = json.load(file)
        return known if isinstance(known, dict) else {}
    return {}


def _remember(host: Host, place: str, known: Mapping[str, list[object]]) -> None:
    """What cannot be remembered is looked at again."""
    with contextlib.suppress(OSError):
        write_atomically(host.path(place), json.dumps(known).encode(), durable=False)


def file_marks(path: str) -> Marks:
    """Which file it is, and since when: those of the live tree are never written again, but numbers are given again."""
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0)
    return (found.st_ino, found.st_mtime_ns)
