"""BIND: what of its zones differs between two trees, having it load just that, and proof that it serves it."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

from . import bind_proof, generations, signing
from .host import Host

FOLDER, ZONE, OPTIONS = "named", ".zone", ".conf"
ONE_BY_ONE = 50
COMMAND_SECONDS = 60.0


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
    due = bind_proof.due(new, live, old)
    signed = [zone for zone in new.changed if due[zone].tag is not None]
    back = bind_proof.gone_back(host, signed, live, old)
    _touch(live, new.changed)
    for argv in _again() if back else _commands(new, known=old is not None):
        if argv == _START:
            signing.forget(host, back)
        status, output = host.run(argv, COMMAND_SECONDS)
        if status != 0:
            return f"{' '.join(argv)}: {output.strip()[:300]}"
    return bind_proof.prove(host, due)


_START = ("systemctl", "start", "named.service")


def _again() -> Iterable[tuple[str, ...]]:
    """What named signs is only ever compared with a later serial: it has to start again to go back."""
    return [("systemctl", "stop", "named.service"), _START]


def _commands(new: Difference, *, known: bool) -> Iterable[tuple[str, ...]]:
    if not known or len(new.changed) > ONE_BY_ONE:
        return [("rndc", "reload")]
    again = [("rndc", "reload", zone) for zone in sorted(new.changed)]
    return [("rndc", "reconfig"), *again] if new.options else again


def _touch(tree: str, zones: Iterable[str]) -> None:
    """A file that is older than the last load of its zone is not loaded: after a swap back it would be."""
    for zone in zones:
        os.utime(f"{tree}/{FOLDER}/{zone}{ZONE}")
