"""Files of the live configuration tree: how they are looked at, and how a new one is written."""

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator, Sequence

from . import files, generations
from .directories import own
from .host import Host
from .names import names
from .paths import INVALID, Obstructed, Walker
from .wire import Attributes, Change, Handler, Observed

TEXT_LIMIT = 64 << 10
PRIVATE = "private"
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@+-]*\Z")


def parts(name: str) -> list[str]:
    """The components of ``SERVICE/NAME``; Obstructed when one could mean something else."""
    found = name.split("/")
    if len(found) < 2 or not all(_PART.match(part) for part in found):
        raise Obstructed(INVALID)
    return found


def service(change: Change) -> str:
    return change.name.partition("/")[0]


@contextlib.contextmanager
def _live(host: Host) -> Iterator[Walker | None]:
    """A walker from the live generation; None when there is no live generation."""
    try:
        walker = Walker(generations.folder(host, generations.live_number(host)))
    except FileNotFoundError:
        yield None
        return
    try:
        yield walker
    finally:
        walker.close()


def observe(host: Host, wanted: Sequence[str]) -> Observed:
    """Owner, group, mode and SHA-256 of each live file."""
    known = names(host)
    found: Observed = {}
    with _live(host) as walker:
        for name in sorted(wanted):
            try:
                *above, last = parts(name)
                found[name] = files.look(walker.enter(above), last, known) if walker else None
            except FileNotFoundError:
                found[name] = None
            except Obstructed as obstacle:
                found[name] = {"obstructed": obstacle.kind}
    return found


def listing(host: Host) -> list[str]:
    """The names of everything in the live tree that is not a directory, without what is hidden."""
    top = generations.folder(host, generations.live_number(host))
    return list(_below(top, "")) if os.path.isdir(top) else []


def _below(folder: str, prefix: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _below(entry.path, f"{prefix}{entry.name}/")
            elif prefix:
                yield prefix + entry.name


def text(host: Host, name: str) -> str | None:
    """The first 64 KiB of a live file, as far as they are text; of one that holds a secret nothing."""
    if PRIVATE in name.split("/"):
        return None
    with _live(host) as walker, contextlib.suppress(FileNotFoundError, Obstructed):
        if walker:
            *above, last = parts(name)
            descriptor, _ = files.open_regular(walker.enter(above), last)
            with os.fdopen(descriptor, "rb") as file:
                return file.read(TEXT_LIMIT).decode(errors="replace")
    return None


def write(host: Host, path: str, change: Change) -> None:
    """Write the content of a change to a new file. OSError, LookupError or ValueError when it cannot be."""
    attributes: Attributes = change.attributes or {}
    data = (change.content or "").encode()
    if hashlib.sha256(data).hexdigest() != attributes["sha256"]:
        raise ValueError("the content is not that of the digest: plan again")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        own(descriptor, names(host), attributes)


HANDLER = Handler(observe, listing=listing)
