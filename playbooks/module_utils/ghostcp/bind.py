"""BIND: what of its zones differs between two trees, having it load just that, and proof that it serves it."""

import contextlib
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from . import bind_proof, generations, journals, signing
from .host import Host

FOLDER, ZONE, OPTIONS, KEY = "named", ".zone", ".conf", ".key"
PRIVATE = "private"
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
    others = {name.removesuffix(OPTIONS) for name in names if name.endswith(OPTIONS)}
    gone = {zone for zone in zones if zone + ZONE not in after}
    gone |= {zone for zone in others if zone + OPTIONS not in after and zone + ZONE not in after}
    options = bool(others) or any(name.endswith(KEY) for name in names)
    return Difference(frozenset(zones - gone), frozenset(gone), options)


def everything(tree: str) -> Difference:
    """As if all of a tree was new."""
    zones = (name.removesuffix(ZONE) for name in _files(f"{tree}/{FOLDER}") if name.endswith(ZONE))
    return Difference(frozenset(zones), options=True)


def _files(folder: str) -> dict[str, int]:
    """The files of a folder, with those that are private, and their inodes."""
    own = _entries(folder)
    return own | {f"{PRIVATE}/{name}": inode for name, inode in _entries(f"{folder}/{PRIVATE}").items()}


def _entries(folder: str) -> dict[str, int]:
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
    aside = [] if back else _going_back(live, new, due)
    known, began = old is not None, time.time()
    for argv in _again() if back else (*_without(host, aside), *_commands(new, aside, known=known)):
        if argv == _START:
            signing.forget(host, back)
        status, output = host.run(argv, COMMAND_SECONDS)
        if status != 0:
            words = f"{' '.join(argv)}: {output.strip()[:300]}"
            return bind_proof.explained(host, words, new.changed, began)
    journals.forget(host, new.gone)
    problem = bind_proof.prove(host, due)
    torn = bind_proof.torn(host, began) & frozenset(signed) if problem else frozenset[str]()
    return _compared(host, torn, due, problem) if problem else ""


def _compared(host: Host, torn: Iterable[str], due: Mapping[str, bind_proof.Due], problem: str) -> str:
    """Has named start again where that may be of use, and compare with what it signed what it cannot put together with
    that otherwise (`torn`), and sign afresh what has keys of another zone of the name; else the `problem` stays."""
    zones = dict.fromkeys(torn, False) | dict.fromkeys(bind_proof.of_others(due), True)
    if not zones:
        return problem
    for argv in _again():
        if argv == _START:
            signing.forget(host, zones)
        status, output = host.run(argv, COMMAND_SECONDS)
        if status != 0:
            return f"{' '.join(argv)}: {output.strip()[:300]}"
    return bind_proof.prove(host, due)


def prepare(host: Host, old: str | None) -> None:
    """Has named, which is about to start, compare with what it signed what goes back from what it had loaded, the tree
    `old` (None: nobody knows): by itself it does that with later serials only."""
    live = os.path.realpath(host.path(generations.LIVE))
    new = everything(live) if old is None else difference(old, live)
    signed = [zone for zone in sorted(new.changed) if signing.tag(live, zone) is not None]
    known = old is not None
    signing.forget(
        host, bind_proof.gone_back(host, signed, live, old) if known else dict.fromkeys(signed, False)
    )


def load_again(host: Host, zones: Sequence[str]) -> str:
    """Has named load zones that it should have loaded long ago; what went wrong, empty when it serves them now."""
    live, began = os.path.realpath(host.path(generations.LIVE)), time.time()
    due = {zone: bind_proof.of_file(live, zone) for zone in zones}
    _touch(live, zones)
    if len(zones) > ONE_BY_ONE:
        commands: list[tuple[str, ...]] = [("rndc", "reload")]
    else:
        plain = [zone for zone in sorted(zones) if due[zone].tag is None]
        for argv in _without(host, plain):
            host.run(argv, COMMAND_SECONDS)  # it need not know the zone
        commands = [
            ("rndc", "reconfig"),
            *(("rndc", "reload", zone) for zone in sorted(set(zones) - set(plain))),
        ]
    for argv in commands:
        status, output = host.run(argv, COMMAND_SECONDS)
        if status != 0:
            return bind_proof.explained(host, f"{' '.join(argv)}: {output.strip()[:300]}", zones, began)
    problem = bind_proof.prove(host, due)
    return _compared(host, (), due, problem) if problem else ""


def blame(problem: str) -> frozenset[str]:
    """The files of the zones that named would not load, by what it says of that."""
    return frozenset(f"{FOLDER}/{zone}{ZONE}" for zone in bind_proof.blamed(problem))


_START = ("systemctl", "start", "named.service")


def _again() -> Iterable[tuple[str, ...]]:
    """What named signs is only ever compared with a later serial: it has to start again to go back."""
    return [("systemctl", "stop", "named.service"), _START]


def _going_back(tree: str, new: Difference, due: Mapping[str, bind_proof.Due]) -> list[str]:
    """The zones without signatures that named would not load as they are."""
    plain = [(zone, due[zone].serial) for zone in sorted(new.changed) if due[zone].tag is None]
    return journals.gone_back(f"{tree}/{FOLDER}", plain)


def _without(host: Host, aside: Sequence[str]) -> Iterable[tuple[str, ...]]:
    """Has named forget zones that go back; they return with its configuration, which has them still."""
    for zone in aside:
        yield ("rndc", "delzone", zone)
    journals.forget(host, aside)


def _commands(new: Difference, aside: Sequence[str], *, known: bool) -> Iterable[tuple[str, ...]]:
    if not known or len(new.changed) > ONE_BY_ONE:
        return [("rndc", "reload")]
    again = [("rndc", "reload", zone) for zone in sorted(new.changed - set(aside))]
    return [("rndc", "reconfig"), *again] if new.options or aside else again


def _touch(tree: str, zones: Iterable[str]) -> None:
    """A file that is older than the last load of its zone is not loaded: after a swap back it would be."""
    for zone in zones:
        with contextlib.suppress(FileNotFoundError):
            os.utime(f"{tree}/{FOLDER}/{zone}{ZONE}")
