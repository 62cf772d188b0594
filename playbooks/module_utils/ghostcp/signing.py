"""Signed zones: where named keeps what it signs, and what it has to forget when a zone goes back.

Beside the file of a zone named keeps its signed twin and journals, for which the live generation is no place: there is
a link to the zone's file in a folder that named may write to, but where it cannot replace what is root's.
"""

import contextlib
import os
import re
import stat
import time
from collections.abc import Container, Mapping, Sequence

from .generations import LIVE
from .host import Host, explain
from .paths import INVALID, Obstructed, Walker, components, kind, lstat, walking
from .wire import APPLIED, Attributes, Change, Handler, Observed, Outcome, failed

PLACE = "/var/lib/bind/ghostcp"
ZONE, JOURNAL = ".zone", ".zone.jnl"
MADE = (JOURNAL, ".zone.jbk", ".zone.jnw", ".zone.signed", ".zone.signed.jnl", ".zone.signed.jnw")
STALE = 3600.0  # seconds
_NAME = re.compile(r"[a-z0-9_][a-z0-9_.-]*\Z")
_TEMPORARY = re.compile(r"tmp-[A-Za-z0-9]{10}\Z")
_KEY = re.compile(r'key-directory "[^"]*/(\d+)";')


def tag(tree: str, zone: str) -> int | None:
    """The tag of the key that a zone is signed with in a tree (RFC 4034, appendix B), whose folder its statement names;
    None for one that is not."""
    try:
        with open(f"{tree}/named/{zone}.conf", encoding="utf-8", errors="replace") as file:
            match = _KEY.search(file.read())
    except FileNotFoundError:
        return None
    return int(match[1]) if match else None


def forget(host: Host, zones: Mapping[str, bool]) -> None:
    """Has named, while it does not run, compare zones anew with what it signed, whatever their serials are.

    A zone of the very serial that it signed it would still not compare: where that is so, it is signed afresh.
    """
    with walking(host) as walker:
        for zone, same in zones.items():
            for ending in MADE if same else (JOURNAL,):
                with contextlib.suppress(FileNotFoundError, Obstructed):
                    parent, name = walker.parent(f"{PLACE}/{zone}{ending}")
                    os.unlink(name, dir_fd=parent)


def observe(host: Host, zones: Sequence[str]) -> Observed:
    """Where the link of each leads to."""
    with walking(host) as walker:
        return {zone: _look(walker, zone) for zone in sorted(zones)}


def _look(walker: Walker, zone: str) -> Attributes | None:
    try:
        parent, name = _place(walker, zone)
        found = lstat(parent, name)
        if found is None:
            return None
        if not stat.S_ISLNK(found.st_mode):
            return {"obstructed": kind(found.st_mode)}
        return {"source": os.readlink(name, dir_fd=parent)}
    except FileNotFoundError:
        return None
    except Obstructed as obstacle:
        return {"obstructed": obstacle.kind}
    except OSError as error:
        return {"obstructed": os.strerror(error.errno or 0)}


def apply(host: Host, changes: Sequence[Change]) -> dict[str, Outcome]:
    """Makes links; with one that goes, all goes that named made beside it."""
    live = os.path.realpath(host.path(LIVE))
    with walking(host) as walker:
        with contextlib.suppress(OSError, Obstructed):
            _tidy(walker, live)
        return {change.key: _apply(walker, change) for change in changes}


def _tidy(walker: Walker, live: str) -> None:
    """Removes what named still wrote of zones when they were gone, so that no new zone of the name is taken for the old
    one, and what it had not written to the end when it was killed.

    It writes to a `tmp-` file that it then renames; one that is young may still be one that it writes. Of a zone that
    is live and signed all stays, although somebody removed its link.
    """
    place = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=walker.enter(components(PLACE)))
    try:
        names = set(os.listdir(place))
        before = time.time() - STALE
        for name in sorted(names):
            alone = _is_alone(name, names, live)
            if not (alone or _TEMPORARY.match(name)):
                continue
            found = lstat(place, name)
            if found and stat.S_ISREG(found.st_mode) and (alone or found.st_mtime < before):
                os.unlink(name, dir_fd=place)
    finally:
        os.close(place)


def _is_alone(name: str, names: Container[str], live: str) -> bool:
    """Whether named made it for a zone that has no link and is not signed in the live tree."""
    stems = [name.removesuffix(ending) for ending in MADE if name.endswith(ending)]
    return bool(stems) and not any(f"{stem}{ZONE}" in names or tag(live, stem) is not None for stem in stems)


def _apply(walker: Walker, change: Change) -> Outcome:
    try:
        parent, name = _place(walker, change.name)
        stem = name.removesuffix(ZONE)
        for each in (name, *(f"{stem}{ending}" for ending in MADE)) if change.deletes else (name,):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(each, dir_fd=parent)
        if not change.deletes:
            os.symlink((change.attributes or {})["source"], name, dir_fd=parent)
    except FileNotFoundError:
        return APPLIED if change.deletes else failed(f"{PLACE} is missing: prepare the host anew")
    except OSError as error:
        return failed(explain(error))
    except Obstructed as error:
        return failed(str(error))
    return APPLIED


def _place(walker: Walker, zone: str) -> tuple[int, str]:
    if not _NAME.match(zone):
        raise Obstructed(INVALID)
    return walker.parent(f"{PLACE}/{zone}{ZONE}")


HANDLER = Handler(observe, apply)
