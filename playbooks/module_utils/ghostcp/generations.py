"""The live configuration as numbered generations: made beside each other, made live by one rename.

Files are never modified in place, so generations share them by hard links, and two directories are equal
where their inode numbers are. A spare directory is brought up to date rather than made anew: what that costs
grows with what differs.
"""

import contextlib
import os
import re
import shutil
from dataclasses import dataclass

from .host import Host, sync_directory

BASE = "/etc/ghostcp"
LIVE = f"{BASE}/live"
GENERATIONS = f"{BASE}/generations"
SPARE, FRESH = ".staged", ".fresh"
KEPT = 3
_TARGET = re.compile(r"(?:/etc/ghostcp/)?generations/([0-9]+)/?\Z")


class ForeignError(Exception):
    """What is found is not of our making, and is not touched."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A complete copy of the live tree that changes are made to, and a folder for the new files."""

    tree: str
    fresh: str
    live: str


def live_number(host: Host) -> int:
    """The number of the live generation; 0 when there is none yet."""
    try:
        target = os.readlink(host.path(LIVE))
    except FileNotFoundError:
        return 0
    except OSError:
        raise ForeignError(f"{LIVE} is not a link to a generation: move it away") from None
    match = _TARGET.match(target)
    if not match:
        raise ForeignError(f"{LIVE} leads to {target}, which is not a generation: move it away")
    return int(match.group(1))


def folder(host: Host, number: int) -> str:
    return host.path(f"{GENERATIONS}/{number}")


def stage(host: Host) -> Stage:
    """A tree equal to the live one, to be changed and published."""
    number = live_number(host)
    base = host.path(GENERATIONS)
    os.makedirs(f"{base}/{number}", mode=0o755, exist_ok=True)
    if not os.path.lexists(host.path(LIVE)):
        swap(host, number)
    tree, fresh = f"{base}/{SPARE}", f"{base}/{FRESH}"
    shutil.rmtree(fresh, ignore_errors=True)
    os.mkdir(fresh, 0o700)
    os.makedirs(tree, mode=0o755, exist_ok=True)
    mirror(f"{base}/{number}", tree)
    return Stage(tree, fresh, f"{base}/{number}")


def mirror(source: str, target: str) -> None:
    """Make the directory `target` equal to `source`; files that are the same inode stay as they are."""
    with os.scandir(source) as entries:
        wanted = {entry.name: entry for entry in entries}
    with os.scandir(target) as entries:
        present = {entry.name: entry for entry in entries}
    for name, entry in present.items():
        twin = wanted.get(name)
        if twin is None or not _same(entry, twin):
            _discard(entry)
    for name, entry in wanted.items():
        old, path = present.get(name), f"{target}/{name}"
        kept = old is not None and _same(old, entry)
        if entry.is_dir(follow_symlinks=False):
            if not kept:
                os.mkdir(path, 0o755)
            mirror(entry.path, path)
        elif not kept:
            os.link(entry.path, path, follow_symlinks=False)


def _same(one: os.DirEntry[str], other: os.DirEntry[str]) -> bool:
    if one.is_dir(follow_symlinks=False) or other.is_dir(follow_symlinks=False):
        return one.is_dir(follow_symlinks=False) and other.is_dir(follow_symlinks=False)
    return one.inode() == other.inode()


def _discard(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path)
    else:
        os.unlink(entry.path)


def place(stage: Stage, name: str, fresh: str | None) -> None:
    """Have the staged file `name` be the new file `fresh`, or be absent when that is None."""
    path = f"{stage.tree}/{name}"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    if fresh is not None:
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        os.link(fresh, path)


def restore(stage: Stage, name: str) -> None:
    """Have the staged file `name` be again what is live."""
    live = f"{stage.live}/{name}"
    place(stage, name, live if os.path.lexists(live) else None)


def publish(host: Host, stage: Stage) -> int:
    """Make the staged tree live and return its number. A crash leaves the old tree live, or the new one."""
    number = 1 + max([live_number(host), *_numbers(host)])
    _sync_tree(stage.tree)
    os.rename(stage.tree, folder(host, number))
    sync_directory(host.path(GENERATIONS))
    swap(host, number)
    return number


def swap(host: Host, number: int) -> None:
    """Let the live link lead to another generation, in one step."""
    link = host.path(f"{BASE}/.live")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(link)
    os.symlink(f"generations/{number}", link)
    os.rename(link, host.path(LIVE))
    sync_directory(host.path(BASE))


def retire(host: Host) -> None:
    """Keep the live generation and the youngest others; the youngest of the rest becomes the spare."""
    live, base = live_number(host), host.path(GENERATIONS)
    shutil.rmtree(f"{base}/{FRESH}", ignore_errors=True)
    others = sorted((number for number in _numbers(host) if number != live), reverse=True)
    for number in others[KEPT - 1 :]:
        if os.path.lexists(f"{base}/{SPARE}"):
            shutil.rmtree(f"{base}/{number}")
        else:
            os.rename(f"{base}/{number}", f"{base}/{SPARE}")


def discard(host: Host, number: int) -> None:
    """Give up a generation that is not live; its directory becomes the spare."""
    spare = host.path(f"{GENERATIONS}/{SPARE}")
    shutil.rmtree(spare, ignore_errors=True)
    os.rename(folder(host, number), spare)


def _numbers(host: Host) -> list[int]:
    base = host.path(GENERATIONS)
    return [int(name) for name in os.listdir(base) if name.isdigit()] if os.path.isdir(base) else []


def _sync_tree(tree: str) -> None:
    """Bring the directories of a tree to the disk; its files are there already."""
    for path, _, _ in os.walk(tree):
        sync_directory(path)
