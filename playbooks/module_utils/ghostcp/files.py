"""Single files inside tenants' directories: seeds that are made once, whole or not at all."""

import contextlib
import hashlib
import os
import stat
from collections.abc import Sequence

from .directories import own, ownership
from .host import Host, explain
from .names import Names, names
from .paths import Obstructed, Walker, kind, lstat, walking
from .wire import APPLIED, Attributes, Change, Handler, Observed, Outcome, failed

LIMIT = 1 << 20


def observe(host: Host, paths: Sequence[str]) -> Observed:
    """Owner, group, mode and SHA-256 of each; of files above 1 MiB the hash is empty."""
    known = names(host)
    with walking(host) as walker:
        return {path: _look(walker, known, path) for path in sorted(paths)}


def _look(walker: Walker, known: Names, path: str) -> Attributes | None:
    try:
        parent, name = walker.parent(path)
        return look(parent, name, known)
    except FileNotFoundError:
        return None
    except Obstructed as obstacle:
        return {"obstructed": obstacle.kind}
    except OSError as error:
        return {"obstructed": os.strerror(error.errno or 0)}


def look(parent: int, name: str, known: Names) -> Attributes | None:
    """The attributes of a regular file in an open directory; Obstructed when it is something else."""
    try:
        descriptor, found = open_regular(parent, name)
    except FileNotFoundError:
        return None
    try:
        checksum = ""
        if found.st_size <= LIMIT:
            checksum = hashlib.sha256(os.read(descriptor, LIMIT + 1)).hexdigest()
    finally:
        os.close(descriptor)
    return {**ownership(known, found), "sha256": checksum}


def open_regular(parent: int, name: str) -> tuple[int, os.stat_result]:
    """A regular file, opened for reading without following a link or waiting for a writer."""
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        descriptor = os.open(name, flags, dir_fd=parent)
    except FileNotFoundError:
        raise
    except OSError as error:
        found = lstat(parent, name)
        if found is None or stat.S_ISREG(found.st_mode):
            raise
        raise Obstructed(kind(found.st_mode), name) from error
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise Obstructed(kind(found.st_mode), name)
    return descriptor, found


def apply(host: Host, changes: Sequence[Change]) -> dict[str, Outcome]:
    known = names(host)
    with walking(host) as walker:
        return {change.key: _apply(walker, known, change) for change in changes}


def _apply(walker: Walker, known: Names, change: Change) -> Outcome:
    try:
        parent, name = walker.parent(change.name)
        if change.deletes:
            _remove(parent, name, change)
        else:
            _make(parent, name, known, change)
    except FileExistsError as error:
        return APPLIED if change.once else failed(explain(error))
    except FileNotFoundError as error:
        return APPLIED if change.deletes else failed(explain(error))
    except OSError as error:
        return failed(explain(error))
    except (Obstructed, LookupError, ValueError) as error:
        return failed(str(error.args[0]))
    return APPLIED


def _remove(parent: int, name: str, change: Change) -> None:
    """Delete a file that is still ours; one made once belongs to its owner and stays."""
    if not change.once:
        os.unlink(name, dir_fd=parent)


def _make(parent: int, name: str, known: Names, change: Change) -> None:
    """Write an unnamed file and give it its name at the end: no half file, no left-over, no link followed."""
    descriptor = os.open(".", os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600, dir_fd=parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write((change.content or "").encode())
        file.flush()
        own(descriptor, known, change.attributes or {})
        source = f"/proc/self/fd/{descriptor}"
        if change.once or lstat(parent, name) is None:
            os.link(source, name, dst_dir_fd=parent)
            return
        aside = f".{name[:200]}.ghostcp"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(aside, dir_fd=parent)
        os.link(source, aside, dst_dir_fd=parent)
        os.rename(aside, name, src_dir_fd=parent, dst_dir_fd=parent)


HANDLER = Handler(observe, apply)
