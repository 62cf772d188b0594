"""OS accounts: observed from the user database, changed in one pass for the whole batch."""

import contextlib
import copy
import os
import signal
from collections.abc import Iterable, Sequence
from pathlib import Path

from . import passwd, quarantine
from .host import Host, explain
from .passwd import AccountError, Database
from .paths import Obstructed
from .wire import APPLIED, Change, Handler, Observed, Outcome, failed

TENANTS = range(10_000, 60_000)
_LEFTOVERS = ("/var/spool/cron/crontabs", "/var/lib/systemd/linger")


def observe(host: Host, accounts: Sequence[str]) -> Observed:
    database, day = passwd.read(host), passwd.today()
    groups = passwd.memberships(database, accounts)
    return {name: passwd.look(database, name, day, groups) for name in accounts}


def listing(host: Host) -> list[str]:
    """The names of all accounts in the range that is for tenants."""
    table = passwd.read(host).passwd
    return [name for name, fields in table.items() if len(fields) == 7 and _uid(fields[2]) in TENANTS]


def others(host: Host) -> list[str]:
    """The names of all other accounts: the system's, and people's."""
    table = passwd.read(host).passwd
    return sorted(
        name for name, fields in table.items() if len(fields) == 7 and _uid(fields[2]) not in TENANTS
    )


def _uid(field: str) -> int:
    return int(field) if field.isdigit() else -1


def apply(host: Host, changes: Sequence[Change]) -> dict[str, Outcome]:
    """Clear away what goes, then write the user database once; each refusal is its own account's."""
    outcomes = _clear(host, [change for change in changes if change.action in ("replace", "delete")])
    try:
        with passwd.locked(host):
            before = passwd.read(host)
            after = copy.deepcopy(before)
            outcomes |= _edit(after, [change for change in changes if change.key not in outcomes])
            passwd.write(host, before, after)
    except OSError as error:
        refused = {key: outcome for key, outcome in outcomes.items() if not outcome.good}
        return {change.key: failed(explain(error)) for change in changes} | refused
    _end(
        host, _numbers(before, [change for change in changes if change.deletes and outcomes[change.key].good])
    )
    return outcomes


def _edit(database: Database, changes: Sequence[Change]) -> dict[str, Outcome]:
    """Edit the database for each change that may be; the others' outcomes say why not."""
    gone = [change for change in changes if change.action in ("replace", "delete")]
    passwd.remove(database, [change.name for change in gone])
    outcomes = {change.key: APPLIED for change in gone}
    users, groups = passwd.taken(database.passwd), passwd.taken(database.group)
    for change in changes:
        if not change.deletes:
            outcomes[change.key] = _put(database, change, users, groups)
    passwd.leave(database, [it.name for it in changes if not it.deletes and outcomes[it.key].good])
    return outcomes


def _put(database: Database, change: Change, users: dict[str, str], groups: dict[str, str]) -> Outcome:
    attributes = change.attributes or {}
    try:
        passwd.check(database, change.name, attributes)
    except AccountError as error:
        return failed(str(error))
    except KeyError as error:
        return failed(f"the attribute {error.args[0]} is missing")
    number = str(attributes["uid"])
    for what, holders in (("user", users), ("group", groups)):
        if holders.setdefault(number, change.name) != change.name:
            return failed(f"the number {number} is that of the {what} {holders[number]}: choose another")
    passwd.put(database, change.name, attributes, passwd.today())
    return APPLIED


def _clear(host: Host, changes: Sequence[Change]) -> dict[str, Outcome]:
    """End the processes of accounts that go, and move their homes aside; the outcomes of those that stay."""
    if not changes:
        return {}
    database, day = passwd.read(host), passwd.today()
    outcomes: dict[str, Outcome] = {}
    for change in changes:
        found = passwd.look(database, change.name, day)
        if found is not None and not passwd.LOWEST <= found["uid"] <= passwd.HIGHEST:
            outcomes[change.key] = failed(
                f"uid {found['uid']} is the system's: this account is never removed"
            )
    going = [change for change in changes if change.key not in outcomes]
    for change in going:
        _forget(host, change.name)
    _end(host, _numbers(database, going))
    for change in going:
        found = passwd.look(database, change.name, day)
        if found is not None and found["home"].startswith("/home/"):
            try:
                quarantine.send(host, found["home"], change, owner=found["uid"])
            except OSError as error:
                outcomes[change.key] = failed(explain(error))
            except Obstructed as obstacle:
                outcomes[change.key] = failed(f"{obstacle} ({found['home']})")
    return outcomes


def _forget(host: Host, name: str) -> None:
    """Remove what would start the account's processes again."""
    for folder in _LEFTOVERS:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(host.path(f"{folder}/{os.path.basename(name)}"))


def _numbers(database: Database, changes: Iterable[Change]) -> set[int]:
    fields = [database.passwd[change.name] for change in changes if change.name in database.passwd]
    return {
        number for number in (_uid(row[2]) for row in fields) if passwd.LOWEST <= number <= passwd.HIGHEST
    }


def _end(host: Host, uids: set[int]) -> None:
    """Kill all processes of these users, each set at once, so that none can fork its way out."""
    if not host.real:
        return
    for uid in uids & _running():
        child = os.fork()
        if child == 0:
            _kill_as(uid)
        os.waitpid(child, 0)


def _kill_as(uid: int) -> None:
    """As that user, kill everything that it may kill, and never return."""
    try:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        os.kill(-1, signal.SIGKILL)
    finally:
        os._exit(0)


def _running() -> set[int]:
    """The owners of all processes."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(FileNotFoundError):
                found.add(entry.stat().st_uid)
    return found


HANDLER = Handler(observe, apply, listing)
