"""User and group names and their numbers, as the host's own files have them."""

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass

from .host import Host


@dataclass(frozen=True, slots=True)
class Names:
    """Both directions of both tables, as they were when the files were read."""

    users: Mapping[int, str]
    groups: Mapping[int, str]
    uids: Mapping[str, int]
    gids: Mapping[str, int]

    def owner(self, uid: int) -> str:
        return self.users.get(uid) or str(uid)

    def group(self, gid: int) -> str:
        return self.groups.get(gid) or str(gid)

    def uid(self, name: str) -> int:
        """The number of a user; LookupError when there is none of that name."""
        if name not in self.uids:
            raise LookupError(f"the user {name!r} does not exist: create it first")
        return self.uids[name]

    def gid(self, name: str) -> int:
        """The number of a group; LookupError when there is none of that name."""
        if name not in self.gids:
            raise LookupError(f"the group {name!r} does not exist: create it first")
        return self.gids[name]


def names(host: Host) -> Names:
    """The names now; the files are parsed again only when they were replaced or changed."""
    passwd, group = host.path("/etc/passwd"), host.path("/etc/group")
    return _names(passwd, _version(passwd), group, _version(group))


def _version(path: str) -> tuple[int, int, int]:
    found = os.stat(path)
    return found.st_ino, found.st_mtime_ns, found.st_size


@functools.lru_cache(maxsize=1)
def _names(passwd: str, _passwd: tuple[int, ...], group: str, _group: tuple[int, ...]) -> Names:
    uids, gids = _numbers(passwd), _numbers(group)
    return Names(_inverted(uids), _inverted(gids), uids, gids)


def _inverted(table: Mapping[str, int]) -> dict[int, str]:
    """The first name of each number, as getpwuid(3) has it."""
    return {number: name for name, number in reversed(list(table.items()))}


def _numbers(path: str) -> dict[str, int]:
    with open(path, encoding="utf-8", errors="replace") as file:
        rows = [line.split(":", 3) for line in file]
    found: dict[str, int] = {}
    for row in rows:
        if len(row) == 4 and row[2].isdigit():
            found.setdefault(row[0], int(row[2]))
    return found
