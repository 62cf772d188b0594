"""The files of a folder: found and read without following a link out of it, or waiting for what is no file."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from state.errors import Unreadable

MAX_BYTES = 128 * 2**20
_SUFFIXES = frozenset({".yaml", ".yml"})
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC


class Unusable(Exception):  # noqa: N818
    """Why a file is not read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, and what would tell that it changed; with a `fault` it is not to be read."""

    path: Path
    changed: int = 0
    size: int = 0
    fault: str = ""


def entries(root: Path) -> tuple[Entry, ...]:
    """The file that `root` is, or each ``*.yaml`` and ``*.yml`` below it. Hidden ones are passed over.

    Raises Unreadable when it cannot be listed.
    """
    try:
        real = Path(os.path.realpath(root, strict=True))
        return tuple(_entry(path, real) for path in (_below(root, real) if root.is_dir() else [root]))
    except OSError as error:
        raise Unreadable(f"{error.filename or root} cannot be read: {error.strerror}") from None


def content(entry: Entry, root: Path) -> bytes:
    """What is in the file. Raises Unusable for what is no file, or outside of `root`, and OSError."""
    if entry.fault:
        raise Unusable(entry.fault)
    real = _inside(entry.path, Path(os.path.realpath(root, strict=True)))
    known = os.lstat(real)
    _refuse(known)
    with os.fdopen(os.open(real, _FLAGS), "rb") as file:
        if not os.path.samestat(known, os.fstat(file.fileno())):
            raise Unusable("was replaced while it was read: try again")
        return file.read(MAX_BYTES)


def _below(root: Path, real: Path) -> Iterator[Path]:
    """The files, and the links to folders that lead outside."""
    seen: set[tuple[int, int]] = set()
    for place, folders, names in os.walk(root, onerror=_raise, followlinks=True):
        status = Path(place).stat()
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        shown = sorted(name for name in folders if not name.startswith("."))
        folders[:] = [
            name for name in shown if Path(os.path.realpath(Path(place, name))).is_relative_to(real)
        ]
        yield from (Path(place, name) for name in shown if name not in folders)
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in _SUFFIXES:
                yield Path(place, name)


def _entry(path: Path, root: Path) -> Entry:
    try:
        status = _inside(path, root).lstat()
        _refuse(status)
    except OSError as error:
        return Entry(path, fault=f"cannot be read: {error.strerror}")
    except Unusable as error:
        return Entry(path, fault=str(error))
    return Entry(path, status.st_mtime_ns, status.st_size)


def _inside(path: Path, root: Path) -> Path:
    """Where the path leads to. Raises Unusable when that is not below `root`."""
    real = Path(os.path.realpath(path, strict=True))
    if not real.is_relative_to(root):
        raise Unusable("is a link that leads outside of the folder, which is not followed: put a copy here")
    return real


def _refuse(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise Unusable(f"is a {_KINDS.get(stat.S_IFMT(status.st_mode), 'special file')}, and not a file")
    if status.st_size > MAX_BYTES:
        raise Unusable(f"is larger than {MAX_BYTES // 2**20} MiB: split it")


_KINDS = {stat.S_IFIFO: "pipe", stat.S_IFSOCK: "socket", stat.S_IFCHR: "device", stat.S_IFBLK: "device"}


def _raise(error: OSError) -> None:
    raise error
