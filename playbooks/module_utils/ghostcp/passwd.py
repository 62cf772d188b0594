"""The host's user database: parsed, edited as a value, and rewritten in one locked, atomic pass.

A thousand accounts cost one rewrite, not a thousand processes. The lock is that of lckpwdf(3), which the
shadow tools and systemd-sysusers respect; formats are those of passwd(5), shadow(5), group(5) and gshadow(5).
"""

import contextlib
import fcntl
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .host import Host, sync_directory
from .wire import Attributes

ORDER = ("group", "gshadow", "shadow", "passwd")
_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}\Z")
_FIELD = re.compile(r"[^:\n\r\0\x01-\x1f\x7f]*\Z")
LOWEST, HIGHEST = 1000, 59_999
LOCK_SECONDS = 15.0

Table = dict[str, list[str]]


class AccountError(Exception):
    """An account that must not be made or changed like this."""


@dataclass(frozen=True, slots=True)
class Database:
    """The four files: name → fields. Lines that are no account's keep their place under their own text."""

    passwd: Table
    shadow: Table
    group: Table
    gshadow: Table


def parse(text: str) -> Table:
    table: Table = {}
    for line in text.removesuffix("\n").split("\n") if text else ():
        fields = line.split(":")
        key = fields[0] if len(fields) > 2 and fields[0] not in table else f"{line}\n{len(table)}"
        table[key] = fields
    return table


def render(table: Table) -> str:
    return "".join(":".join(fields) + "\n" for fields in table.values())


def today() -> int:
    """Days since 1970, the unit of shadow(5)."""
    return int(time.time() // 86_400)


def look(
    database: Database, name: str, day: int, groups: Mapping[str, str] = MappingProxyType({})
) -> Attributes | None:
    """The attributes of an account on that day; None when it is not there.

    `groups` are the `memberships`; who is in its own group alone has no attribute of that name.
    """
    fields = database.passwd.get(name)
    if fields is None or len(fields) != 7 or not (fields[2].isdigit() and fields[3].isdigit()):
        return None
    owned = database.group.get(name, ["", "", ""])[2] == fields[3]
    more = {"groups": groups[name]} if name in groups else {}
    return more | {
        "uid": int(fields[2]),
        "gid": int(fields[3]) if owned else -1,
        "comment": fields[4],
        "home": fields[5],
        "shell": fields[6],
        "locked": _locked(database.shadow.get(name), day),
    }


def _locked(shadow: list[str] | None, day: int) -> bool:
    if shadow is None or len(shadow) < 8:
        return True
    expires = shadow[7]
    return shadow[1].startswith("!") or (expires.lstrip("-").isdigit() and 0 <= int(expires) <= day)


def memberships(database: Database, names: Iterable[str]) -> dict[str, str]:
    """The other groups, by comma, of those of the names that are members of one, or may make themselves so."""
    asked, found = set(names), dict[str, set[str]]()
    for fields, columns in _lists(database):
        for column in columns:
            for member in asked.intersection(fields[column].split(",")) - {fields[0]}:
                found.setdefault(member, set()).add(fields[0])
    return {member: ",".join(sorted(groups)) for member, groups in found.items()}


def leave(database: Database, names: Iterable[str], *, own: bool = False) -> None:
    """Take the names out of all other groups, and with `own` out of those of their names as well."""
    gone = set(names)
    for fields, columns in _lists(database):
        for column in columns:
            members = fields[column].split(",")
            going = gone.intersection(members) - (set() if own else {fields[0]})
            if going:
                fields[column] = ",".join(member for member in members if member not in going)


def _lists(database: Database) -> Iterator[tuple[list[str], tuple[int, ...]]]:
    """The groups that have members or, in gshadow, administrators, and where these stand."""
    for table, columns in ((database.group, (3,)), (database.gshadow, (2, 3))):
        for fields in table.values():
            if len(fields) == 4 and any(fields[column] for column in columns):
                yield fields, columns


def check(database: Database, name: str, attributes: Attributes) -> None:
    """AccountError, saying why, when the account cannot be made so."""
    if not _NAME.match(name):
        raise AccountError("the name is not a valid account name")
    if not all(_FIELD.match(str(attributes[key])) for key in ("comment", "home", "shell")):
        raise AccountError("a colon or control character cannot be in a field of an account")
    uid, gid = attributes["uid"], attributes["gid"]
    if uid != gid or not LOWEST <= uid <= HIGHEST:
        raise AccountError(f"uid {uid} and gid {gid} must be the same, from {LOWEST} to {HIGHEST}")
    for table, what in ((database.passwd, "user"), (database.group, "group")):
        fields = table.get(name)
        if fields is not None and fields[2] != str(uid):
            raise AccountError(f"a {what} {name} exists with the number {fields[2]}: remove or rename it")


def taken(table: Table) -> dict[str, str]:
    """Number → name of a user or group table."""
    return {fields[2]: name for name, fields in table.items() if len(fields) > 3}


def put(database: Database, name: str, attributes: Attributes, day: int) -> None:
    """Make the account, or make it so, but for other groups (`leave`).

    Its password and expiry change only when its lock does.
    """
    uid, gid = str(attributes["uid"]), str(attributes["gid"])
    texts = [str(attributes[key]) for key in ("comment", "home", "shell")]
    members = database.group[name][3:] if name in database.group else [""]
    database.group[name] = [name, "x", gid, *members]
    database.gshadow.setdefault(name, [name, "!", "", ""])
    if look(database, name, day) is None or name not in database.shadow:
        database.shadow[name] = [name, "*", str(day), "0", "99999", "7", "", "", ""]
    database.passwd[name] = [name, "x", uid, gid, *texts]
    _lock(database.shadow[name], bool(attributes["locked"]), day)


def _lock(shadow: list[str], locked: bool, day: int) -> None:
    if locked == _locked(shadow, day):
        return
    password = shadow[1].lstrip("!") or "*"
    shadow[1] = "!" + password if locked else password
    shadow[7] = "1" if locked else ""


def remove(database: Database, names: Iterable[str]) -> None:
    """Remove accounts, their own groups, and their memberships in others."""
    gone = set(names)
    for name in gone:
        own = database.passwd.pop(name, None)
        database.shadow.pop(name, None)
        if own is None or database.group.get(name, ["", "", own[3]])[2] == own[3]:
            database.group.pop(name, None)
            database.gshadow.pop(name, None)
    leave(database, gone, own=True)


def read(host: Host) -> Database:
    return Database(**{name: parse(_text(host.path(f"/etc/{name}"))) for name in ORDER})


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="\n") as file:
            return file.read()
    except FileNotFoundError:
        return ""


@contextlib.contextmanager
def locked(host: Host) -> Iterator[None]:
    """Hold the lock of the user database; TimeoutError when another program keeps it."""
    descriptor = os.open(host.path("/etc/.pwd.lock"), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TimeoutError(
                        "another program holds /etc/.pwd.lock: wait for it or end it"
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


def write(host: Host, before: Database, after: Database) -> None:
    """Replace what differs: all new files are on disk before the first takes its place, passwd last."""
    pending = []
    for name in ORDER:
        text = render(getattr(after, name))
        if text != render(getattr(before, name)):
            pending.append((host.path(f"/etc/{name}"), text.encode(errors="surrogateescape")))
    for path, data in pending:
        _prepare(path, data)
    for path, _ in pending:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{path}-")
        with contextlib.suppress(FileNotFoundError):
            os.link(path, f"{path}-")
        os.rename(f"{path}.ghostcp", path)
    if pending:
        sync_directory(host.path("/etc"))


def _prepare(path: str, data: bytes) -> None:
    """Write the new file beside the old one, with the same owner and mode."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(f"{path}.ghostcp")
    descriptor = os.open(f"{path}.ghostcp", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with contextlib.suppress(FileNotFoundError):
                old = os.stat(path)
                os.fchown(descriptor, old.st_uid, old.st_gid)
                os.fchmod(descriptor, old.st_mode & 0o7777)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
    except OSError:
        os.unlink(f"{path}.ghostcp")
        raise
