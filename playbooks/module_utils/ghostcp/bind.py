"""BIND: what of its zones differs between two trees, having it load just that, and proof that it serves it."""

import os
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from . import generations, soa
from .host import Host

FOLDER, ZONE, OPTIONS = "named", ".zone", ".conf"
ONE_BY_ONE = 50
SECONDS, ZONES_A_SECOND = 10.0, 500
COMMAND_SECONDS = 60.0
_SERIAL = re.compile(r"^\S+ \d+ IN SOA \S+ \S+ (\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Difference:
    """The zones whose files differ, the zones that are gone, and whether there are others or other options."""

    changed: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    options: bool = False


def difference(old: str, new: str) -> Difference:
    """Between the folders of two trees; files that are the same inode are the same."""
    before, after = _files(f"{old}/{FOLDER}"), _files(f"{new}/{FOLDER}")
    names = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    zones = {name.removesuffix(ZONE) for name in names if name.endswith(ZONE)}
    gone = frozenset(zone for zone in zones if zone + ZONE not in after)
    return Difference(frozenset(zones) - gone, gone, any(name.endswith(OPTIONS) for name in names))


def everything(tree: str) -> Difference:
    """As if all of a tree was new."""
    zones = (name.removesuffix(ZONE) for name in _files(f"{tree}/{FOLDER}") if name.endswith(ZONE))
    return Difference(frozenset(zones), options=True)


def _files(folder: str) -> dict[str, int]:
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry.inode() for entry in entries}
    except FileNotFoundError:
        return {}


def load(host: Host, old: str | None) -> str:
    """Has named load what of the live tree differs from the tree `old` that it has loaded (None: nobody knows).

    The answer is what went wrong, empty when it serves just what is live.
    """
    live = os.path.realpath(host.path(generations.LIVE))
    new = everything(live) if old is None else difference(old, live)
    _touch(live, new.changed)
    for argv in _commands(new, known=old is not None):
        status, output = host.run(argv, COMMAND_SECONDS)
        if status != 0:
            return f"{' '.join(argv)}: {output.strip()[:300]}"
    return prove(host, live, new)


def _commands(new: Difference, *, known: bool) -> Iterable[tuple[str, ...]]:
    if not known or len(new.changed) > ONE_BY_ONE:
        return [("rndc", "reload")]
    again = [("rndc", "reload", zone) for zone in sorted(new.changed)]
    return [("rndc", "reconfig"), *again] if new.options else again


def _touch(tree: str, zones: Iterable[str]) -> None:
    """A file that is older than the last load of its zone is not loaded: after a swap back it would be."""
    for zone in zones:
        os.utime(f"{tree}/{FOLDER}/{zone}{ZONE}")


def prove(host: Host, tree: str, new: Difference) -> str:
    """Waits until the serials of a tree are served; the answer is what is not, empty when all are."""
    left: dict[str, int | None] = {zone: serial(tree, zone) for zone in new.changed} | dict.fromkeys(new.gone)
    deadline = time.monotonic() + SECONDS + len(left) / ZONES_A_SECOND
    while True:
        found = soa.serials(sorted(left))
        left = {zone: wanted for zone, wanted in left.items() if zone not in found or found[zone] != wanted}
        if not left or time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return _unproved(host, left, found)


def serial(tree: str, zone: str) -> int | None:
    """The serial in the zone's file; None when there is none to be read."""
    with open(f"{tree}/{FOLDER}/{zone}{ZONE}", encoding="utf-8", errors="replace") as file:
        match = _SERIAL.search(file.read(4096))
    return int(match.group(1)) if match else None


def _unproved(host: Host, left: Mapping[str, int | None], found: Mapping[str, int | None]) -> str:
    if not left:
        return ""
    zone = min(left)
    served = found.get(zone, "no answer") or "nothing"
    words = f"{zone}: serial {left[zone] or 'none'} is wanted, and {served} is served"
    if len(left) > 1:
        words += f"; so it is with {len(left) - 1} others"
    argv = ["journalctl", "--quiet", "--no-pager", "--output=cat", "--lines=200", "--unit=named.service"]
    status, output = host.run(argv, 15.0)
    said = [line for line in output.splitlines() if status == 0 and f"zone {zone}/IN" in line]
    return "; ".join([words, *said[-3:]])
