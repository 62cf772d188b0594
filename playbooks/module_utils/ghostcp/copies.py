"""Copies of zones of other hosts: whether they are as current as those, and having named fetch them."""

import re
import time
from collections.abc import Mapping, Sequence

from . import soa
from .host import Host
from .wire import APPLIED, Change, Handler, Observed, Outcome, failed

SECONDS, COPIES_A_SECOND = 4.0, 100
PATIENCE = 0.5
"""How long named is left to fetch by itself what it was just told of."""
MOST, COMMAND_SECONDS = 100, 10.0
_NAME = re.compile(r"([a-z0-9_.-]+)@([0-9a-f.:]+)\Z")


def observe(_: Host, names: Sequence[str]) -> Observed:
    """Each ``ZONE@ADDRESS`` is current when this host serves the zone with the serial that the name server there has.

    One that does not answer, or has the zone no more, proves nothing: copies are there to be served without it.
    """
    late = behind(names)
    return {name: None if name in late else {"current": True} for name in names}


def behind(names: Sequence[str]) -> dict[str, str]:
    """What is wrong with each that is not current."""
    found = {name: match.groups() for name in names if (match := _NAME.match(name))}
    late = {name: "is no copy of a zone" for name in names if name not in found}
    here = soa.serials(sorted({zone for zone, _ in found.values()}))
    there: dict[str, Mapping[str, int | None]] = {}
    for address in sorted({address for _, address in found.values()}):
        there[address] = soa.serials(sorted(zone for zone, at in found.values() if at == address), address)
    for name, (zone, address) in found.items():
        mine, theirs = here.get(zone), there[address].get(zone)
        if mine is None or theirs not in (None, mine):
            known = theirs if zone in there[address] else "no answer"
            late[name] = f"serial {mine or 'none'} is served here, and {known or 'none'} at {address}"
    return late


def apply(host: Host, changes: Sequence[Change]) -> dict[str, Outcome]:
    """Waits until what was configured is current, and has named fetch what it does not fetch by itself."""
    wanted = {change.name: change.key for change in changes if not change.deletes}
    started, late, pushed = time.monotonic(), behind(list(wanted)), False
    while late and time.monotonic() < started + SECONDS + len(wanted) / COPIES_A_SECOND:
        if not pushed and time.monotonic() > started + PATIENCE:
            pushed = True
            _push(host, sorted(late)[:MOST])
        time.sleep(0.05)
        late = behind(sorted(late))
    outcomes = {key: failed(late[name]) if name in late else APPLIED for name, key in wanted.items()}
    return outcomes | {change.key: APPLIED for change in changes if change.deletes}


def _push(host: Host, names: Sequence[str]) -> None:
    """Has named take up what it was made to forget, and fetch all of it whatever serial it has itself."""
    host.run(("rndc", "reconfig"), COMMAND_SECONDS)
    for name in names:
        host.run(("rndc", "retransfer", name.partition("@")[0]), COMMAND_SECONDS)


HANDLER = Handler(observe, apply, late=True)
