"""Where data go that nobody wants any more: moved aside on their host, with a note of what they were."""

import contextlib
import json
import os
import re
import secrets
import stat

from .host import Host
from .paths import Obstructed, Walker, components, lstat, walking
from .wire import Change

PLACE = "/home/.quarantine"


def send(host: Host, path: str, change: Change, owner: int | None = None) -> str | None:
    """Move `path`, a directory, to quarantine and return its new name; None when it was not there.

    With an `owner`, what belongs to another uid stays where it is. The note is written first, so that nothing
    lies there unexplained. Raises OSError and Obstructed.
    """
    place = _place(host)
    try:
        with walking(host) as walker:
            try:
                parent, name = walker.parent(path)
            except FileNotFoundError:
                return None
            found = lstat(parent, name)
            if found is None or owner not in (None, found.st_uid):
                return None
            if not stat.S_ISDIR(found.st_mode):
                raise Obstructed("file or link", path)
            return _move(parent, name, place, path, change)
    finally:
        os.close(place)


def _place(host: Host) -> int:
    """The quarantine, opened; it is made, and kept to root, as needed."""
    walker = Walker(host.root)
    try:
        parent, name = walker.parent(PLACE)
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o700, dir_fd=parent)
        place = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        os.fchown(place, 0, 0)
        os.fchmod(place, 0o700)
        return place
    finally:
        walker.close()


def _move(parent: int, name: str, place: int, path: str, change: Change) -> str:
    flat = re.sub(r"[^A-Za-z0-9._-]", "_", "-".join(components(path)))[:200]
    aside = f"{change.stamp}_{flat}_{secrets.token_hex(3)}"
    note = {"path": path, "time": change.stamp, "document": change.document, "key": change.key}
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(f"{aside}.json", flags, 0o600, dir_fd=place)
    with os.fdopen(descriptor, "w") as file:
        json.dump(note, file)
        file.flush()
        os.fsync(descriptor)
    try:
        os.rename(name, aside, src_dir_fd=parent, dst_dir_fd=place)
    except OSError:
        os.unlink(f"{aside}.json", dir_fd=place)
        raise
    os.fsync(place)
    return aside
