"""Zones as they are answered: whether named serves each as its live file says, seen by a question for each.

A running name server with the right files may still have none of a zone: it was started while something was missing,
or somebody had it forget the zone. Of many zones, some are asked for by turns, and all when named was started anew.
"""

import os
from collections.abc import Sequence

from . import bind, bind_proof, generations, rotation, services
from .host import Host
from .wire import APPLIED, Change, Handler, Observed, Outcome, failed

AT_ONCE = 1000
"""How many zones are asked for in any case."""
MEMORY = "/run/ghostcp/served.json"
SERVICE = "named"


def observe(host: Host, names: Sequence[str]) -> Observed:
    """Each is current when it is answered as its file says; nothing is said against one as long as named does not run,
    which is said of named itself."""
    life = life_of_named(host)
    if not life:
        return {name: {"current": True} for name in names}
    live = host.path(f"{generations.LIVE}/{bind.FOLDER}")

    def mark(name: str) -> rotation.Marks:
        return (*rotation.file_marks(f"{live}/{name}{bind.ZONE}"), life)

    return rotation.look(host, MEMORY, names, mark, lambda some: _ask(host, some), AT_ONCE)


def life_of_named(host: Host) -> str:
    """What systemd calls this run of named; empty as long as it does not run."""
    unit = services.show(host, [SERVICE]).get(SERVICE)
    return unit.invocation if unit is not None and unit.active else ""


def _ask(host: Host, zones: Sequence[str]) -> Observed:
    live = os.path.realpath(host.path(generations.LIVE))
    due = {zone: bind_proof.of_file(live, zone) for zone in zones}
    found = bind_proof.served(due)
    return {
        zone: {"current": True} if each.serial is not None and each.met(found.get(zone)) else None
        for zone, each in due.items()
    }


def apply(host: Host, changes: Sequence[Change]) -> dict[str, Outcome]:
    """What was configured is served already, as a rule; of what is not, named is told again."""
    wanted = {change.name: change.key for change in changes if not change.deletes}
    rotation.forget(host, MEMORY, wanted)
    lost = [zone for zone, found in _ask(host, list(wanted)).items() if found is None]
    said = bind.load_again(host, lost) if lost else ""
    left = {zone for zone, found in _ask(host, lost).items() if found is None} if said else set[str]()
    outcomes = {key: failed(said) if zone in left else APPLIED for zone, key in wanted.items()}
    return outcomes | {change.key: APPLIED for change in changes if change.deletes}


HANDLER = Handler(observe, apply, late=True)
