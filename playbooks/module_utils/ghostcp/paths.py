"""Paths walked with one directory descriptor per component, following no link anywhere.

A tenant may rename, replace or link anything below its home at any moment: a descriptor stays with the
directory that was opened, whatever its name points to afterwards.
"""

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence

from .host import Host

_OPEN = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
INVALID = "invalid name"
_KINDS = {
    stat.S_IFLNK: "symlink",
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}


class Obstructed(Exception):  # noqa: N818 - a state of the path, not a fault of ours
    """Something that is not what it should be stands on the path."""

    def __init__(self, kind: str, where: str = "") -> None:
        super().__init__(f"a {kind} is in the way{' at ' + where if where else ''}: move it away")
        self.kind = kind


def kind(mode: int) -> str:
    return _KINDS.get(stat.S_IFMT(mode), "unknown")


def components(path: str) -> tuple[str, ...]:
    """The components of a canonical absolute path; Obstructed when it is not canonical."""
    parts = tuple(path.split("/")[1:])
    if not path.startswith("/") or "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise Obstructed(INVALID)
    return parts


def lstat(parent: int, name: str) -> os.stat_result | None:
    """What `name` in the directory `parent` is, itself; None when it is not there."""
    try:
        return os.stat(name, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None


class Walker:
    """The open directories from the root to the last path asked for; a neighbour reuses what it shares."""

    def __init__(self, root: str) -> None:
        self._descriptors = [os.open(root, _OPEN)]
        self._names: list[str] = []

    def enter(self, parts: Sequence[str]) -> int:
        """The descriptor of a directory, valid until the next call; FileNotFoundError or Obstructed."""
        self._leave(parts)
        for name in parts[len(self._names) :]:
            self._descriptors.append(self._open(name))
            self._names.append(name)
        return self._descriptors[-1]

    def parent(self, path: str) -> tuple[int, str]:
        """The descriptor of the directory that holds `path`, and the name therein."""
        *above, name = components(path)
        return self.enter(above), name

    def close(self) -> None:
        while self._descriptors:
            os.close(self._descriptors.pop())

    def _leave(self, parts: Sequence[str]) -> None:
        shared = 0
        for ours, theirs in zip(self._names, parts, strict=False):
            if ours != theirs:
                break
            shared += 1
        while len(self._names) > shared:
            self._names.pop()
            os.close(self._descriptors.pop())

    def _open(self, name: str) -> int:
        above = self._descriptors[-1]
        try:
            return os.open(name, _OPEN, dir_fd=above)
        except NotADirectoryError:
            found = lstat(above, name)
            raise Obstructed(
                kind(found.st_mode) if found else "unknown", "/" + "/".join([*self._names, name])
            ) from None


@contextlib.contextmanager
def walking(host: Host) -> Iterator[Walker]:
    """A walker from the host's root, closed at the end."""
    walker = Walker(host.root)
    try:
        yield walker
    finally:
        walker.close()
