"""Directories: made, owned and moded through descriptors, never through a path that a tenant could turn."""

import os
import stat
from collections.abc import Sequence

from . import quarantine
from .host import Host, explain
from .names import Names, names
from .paths import Obstructed, Walker, kind, lstat, walking
from .wire import APPLIED, Attributes, Change, Handler, Observed, Outcome, failed

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def observe(host: Host, paths: Sequence[str]) -> Observed:
    """Owner, group and mode of each; absent ones are None, others say what obstructs them."""
    known = names(host)
    with walking(host) as walker:
        return {path: _look(walker, known, path) for path in sorted(paths)}


def _look(walker: Walker, known: Names, path: str) -> Attributes | None:
    try:
        parent, name = walker.parent(path)
        found = lstat(parent, name)
    except FileNotFoundError:
        return None
    except Obstructed as obstacle:
        return {"obstructed": obstacle.kind}
    except OSError as error:
        return {"obstructed": os.strerror(error.errno or 0)}
    if found is None:
        return None
    if not stat.S_ISDIR(found.st_mode):
        return {"obstructed": kind(found.st_mode)}
    return ownership(known, found)


def ownership(known: Names, found: os.stat_result) -> dict[str, str]:
    """Owner, group and mode as attributes."""
    return {
        "owner": known.owner(found.st_uid),
        "group": known.group(found.st_gid),
        "mode": f"{stat.S_IMODE(found.st_mode):04o}",
    }


def own(descriptor: int, known: Names, attributes: Attributes) -> None:
    """Give an open file or directory its owner, group and mode; LookupError for names that do not exist."""
    os.fchown(descriptor, known.uid(attributes["owner"]), known.gid(attributes["group"]))
    os.fchmod(descriptor, int(attributes["mode"], 8))


def apply(host: Host, changes: Sequence[Change]) -> dict[str, Outcome]:
    known = names(host)
    with walking(host) as walker:
        return {change.key: _apply(host, walker, known, change) for change in changes}


def _apply(host: Host, walker: Walker, known: Names, change: Change) -> Outcome:
    try:
        if not change.deletes:
            _make(walker, known, change)
        elif change.data:
            quarantine.send(host, change.name, change)
        else:
            _remove(walker, change.name)
    except OSError as error:
        return failed(explain(error))
    except (Obstructed, LookupError, ValueError) as error:
        return failed(str(error.args[0]))
    return APPLIED


def _make(walker: Walker, known: Names, change: Change) -> None:
    attributes = change.attributes or {}
    known.uid(attributes["owner"]), known.gid(attributes["group"])
    parent, name = walker.parent(change.name)
    try:
        os.mkdir(name, 0o700, dir_fd=parent)
    except FileExistsError:
        found = lstat(parent, name)
        if found and not stat.S_ISDIR(found.st_mode):
            raise Obstructed(kind(found.st_mode), change.name) from None
    descriptor = os.open(name, _OPEN, dir_fd=parent)
    try:
        own(descriptor, known, attributes)
    finally:
        os.close(descriptor)


def _remove(walker: Walker, path: str) -> None:
    try:
        parent, name = walker.parent(path)
        os.rmdir(name, dir_fd=parent)
    except FileNotFoundError:
        return
    except NotADirectoryError:
        raise Obstructed("file or link", path) from None


HANDLER = Handler(observe, apply)
