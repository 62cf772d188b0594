"""Serials that are out: what a new text of a zone has to come after, so that whoever has the zone takes it up."""

import os
from collections.abc import Mapping

from . import bind, bind_proof, generations, soa
from .host import Host
from .wire import Attributes

_BEFORE, _AFTER = f"config:{bind.FOLDER}/", bind.ZONE


def out(host: Host, files: Mapping[str, Attributes | None]) -> dict[str, int]:
    """The latest serial of each zone among these files (by key), as it is answered or as the file that is live has it.

    A zone that is signed is answered with a serial of named's own, and what was edited by hand may have any.
    """
    zones = {
        _zone(key): key for key, found in files.items() if _zone(key) and "obstructed" not in (found or {})
    }
    live = os.path.realpath(host.path(generations.LIVE))
    answered = soa.serials(sorted(zones)) if zones else {}
    known = {key: (bind_proof.of_file(live, zone).serial, answered.get(zone)) for zone, key in zones.items()}
    return {key: serial for key, both in known.items() if (serial := _later(*both)) is not None}


def _zone(key: str) -> str:
    """The zone that a key is the file of; empty for all else."""
    name = key.removeprefix(_BEFORE).removesuffix(_AFTER)
    return name if key == f"{_BEFORE}{name}{_AFTER}" else ""


def _later(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return other if soa.ahead(other, one) else one
