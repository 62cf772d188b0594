"""Copies of zones of other hosts: whether they are as current as those, and having named fetch them."""

import re
import time
from collections.abc import Mapping, Sequence

from . import bind, generations, rotation, served, soa
from .host import Host
from .soa import Start
from .wire import APPLIED, Change, Handler, Observed, Outcome, failed

SECONDS, LONGEST = 4.0, 100.0
"""How long copies are waited for of which none becomes current, and how long for many that do."""
PATIENCE = 0.5
"""How long named is left to fetch by itself what it was just told of."""
MOST, COMMAND_SECONDS = 100, 10.0
AT_ONCE = 1000
"""How many copies are asked for in any case."""
MEMORY = "/run/ghostcp/copies.json"
_NAME = re.compile(r"([a-z0-9_.-]+)@([0-9a-f.:]+)\Z")


def observe(host: Host, names: Sequence[str]) -> Observed:
    """Each ``ZONE@ADDRESS`` is current when this host serves the zone as the name server there has it: with the same
    serial, and the same signature of that if there is one. A zone that was signed afresh may come to a serial that it
    had before.

    One that does not answer, or has the zone no more, proves nothing: copies are there to be served without it. Of
    many copies, some are asked for by turns: a pass asks for those of zones that changed.
    """
    if len(names) <= AT_ONCE:
        return _ask(names)
    life, live = served.life_of_named(host), host.path(f"{generations.LIVE}/{bind.FOLDER}")

    def mark(name: str) -> rotation.Marks:
        return (*rotation.file_marks(f"{live}/{name.partition('@')[0]}{bind.OPTIONS}"), life)

    return rotation.look(host, MEMORY, names, mark, _ask, AT_ONCE)


def _ask(names: Sequence[str]) -> Observed:
    late = behind(names)
    return {name: None if name in late else {"current": True} for name in names}


def behind(names: Sequence[str]) -> dict[str, str]:
    """What is wrong with each that is not current."""
    found = {name: match.groups() for name in names if (match := _NAME.match(name))}
    late = {name: "is no copy of a zone" for name in names if name not in found}
    here = soa.starts(sorted({zone for zone, _ in found.values()}))
    there: dict[str, Mapping[str, Start]] = {}
    for address in sorted({address for _, address in found.values()}):
        there[address] = soa.starts(sorted(zone for zone, at in found.values() if at == address), address)
    for name, (zone, address) in found.items():
        mine, theirs = here.get(zone, Start()), there[address].get(zone)
        if mine.serial is None or _other(mine, theirs):
            known = theirs.serial or "none" if theirs else "no answer"
            signed = " with other signatures" if theirs and theirs.serial == mine.serial is not None else ""
            late[name] = f"serial {mine.serial or 'none'} is served here, and {known}{signed} at {address}"
    return late


def _other(mine: Start, theirs: Start | None) -> bool:
    """Whether the zone is there, and is another version of it."""
    if theirs is None or theirs.serial is None:
        return False
    return (theirs.serial, theirs.signatures) != (mine.serial, mine.signatures)


def apply(host: Host, changes: Sequence[Change]) -> dict[str, Outcome]:
    """Waits until what was configured is current, and has named fetch what it does not fetch by itself."""
    wanted = {change.name: change.key for change in changes if not change.deletes}
    rotation.forget(host, MEMORY, wanted)
    late = _awaited(host, behind(list(wanted)))
    outcomes = {key: failed(late[name]) if name in late else APPLIED for name, key in wanted.items()}
    return outcomes | {change.key: APPLIED for change in changes if change.deletes}


def _awaited(host: Host, late: Mapping[str, str]) -> Mapping[str, str]:
    """What is still not current when there is no more progress; named is left time to work between two looks."""
    started = progress = time.monotonic()
    pushed = False
    while late and time.monotonic() < min(progress + SECONDS, started + LONGEST):
        before = time.monotonic()
        if not pushed and before > progress + PATIENCE:
            pushed = True
            _push(host, sorted(late)[:MOST])
        left = behind(sorted(late))
        if len(left) < len(late):
            progress = time.monotonic()
        late = left
        time.sleep(max(0.05, 2 * (time.monotonic() - before)))
    return late


def _push(host: Host, names: Sequence[str]) -> None:
    """Has named take up what it was made to forget, and fetch all of it whatever serial it has itself."""
    host.run(("rndc", "reconfig"), COMMAND_SECONDS)
    for name in names:
        host.run(("rndc", "retransfer", name.partition("@")[0]), COMMAND_SECONDS)


HANDLER = Handler(observe, apply, late=True)
