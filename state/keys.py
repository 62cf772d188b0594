"""Key files: made at first use, read again when they change, rotated with overlap; never in the database.

A file holds one key a line. The first is used for what is made from now on; all are believed.
"""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from cryptography.fernet import Fernet

from state.errors import Unreadable

LOCK = ".lock"
_MAKERS: Mapping[str, Callable[[], str]] = {
    "tokens": lambda: secrets.token_urlsafe(48),
    "vault": lambda: Fernet.generate_key().decode(),
    "audit": lambda: secrets.token_hex(32),
    "answers": lambda: secrets.token_hex(32),
}


def keyring(var: Path, name: str) -> tuple[str, ...]:
    """The keys of ``var/keys/NAME``, at least one; two makers at once agree on one. Raises Unreadable."""
    path = _path(var, name)
    try:
        return _read(path, _stamp(path))
    except FileNotFoundError:
        with _draft(path, [_MAKERS[name]()]) as draft, suppress(FileExistsError):
            path.hardlink_to(draft)
        return _read(path, _stamp(path))


def rotate(var: Path, name: str) -> int:
    """Puts a new key before the others, which go on being believed; how many there are now."""
    keyring(var, name)
    with _alone(var):
        keys = [_MAKERS[name](), *keyring(var, name)]
        _replace(var / "keys" / name, keys)
    return len(keys)


def retire(var: Path, name: str) -> int:
    """Drops all keys but the first: what was made with them is worthless now; how many were dropped."""
    keyring(var, name)
    with _alone(var):
        first, *others = keyring(var, name)
        _replace(var / "keys" / name, [first])
    return len(others)


def mark(var: Path, name: str) -> None:
    """Notes for good, beside the keys of that name, that they are in use."""
    if not is_marked(var, name):
        with _draft(_mark(var, name), []) as draft:
            draft.replace(_mark(var, name))


def is_marked(var: Path, name: str) -> bool:
    return _mark(var, name).exists()


def _mark(var: Path, name: str) -> Path:
    return var / "keys" / f"{name}.begun"


def _replace(path: Path, keys: list[str]) -> None:
    with _draft(path, keys) as draft:
        draft.replace(path)


@contextmanager
def _draft(path: Path, keys: list[str]) -> Iterator[Path]:
    """A file beside `path` with these keys, on the disk before anything is made with them."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("".join(f"{key}\n" for key in keys))
        file.flush()
        os.fsync(file.fileno())
    try:
        yield draft
        _sync(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _alone(var: Path) -> Iterator[None]:
    """Only one at a time changes key files: a key that is lost is lost with all that was made with it."""
    descriptor = os.open(var / "keys" / LOCK, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@lru_cache(64)
def _path(var: Path, name: str) -> Path:
    return var / "keys" / name


def _stamp(path: Path) -> tuple[int, int, int]:
    """Another one whenever the file is another one, or is written to."""
    found = path.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size


@lru_cache(64)
def _read(path: Path, _stamp: tuple[int, int, int]) -> tuple[str, ...]:
    keys = tuple(path.read_text().split())
    if not keys:
        raise Unreadable(f"there is no key in {path}: put back the one that was there")
    return keys
