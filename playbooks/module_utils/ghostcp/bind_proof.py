"""Proof that named serves the zones of a tree, signed where they are to be."""

import filecmp
import os
import re
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from . import signing, soa
from .host import Host
from .soa import Start

if TYPE_CHECKING:
    from .bind import Difference

SECONDS, ZONES_A_SECOND, SIGNED_BYTES_A_SECOND = 10.0, 500, 50_000
COMMAND_SECONDS, SECONDS_OF_SILENCE = 15.0, 0.5
_SERIAL = re.compile(r"^\S+ \d+ IN SOA \S+ \S+ (\d+)", re.MULTILINE)
_NOT_LOADED = re.compile(
    r"zone ([a-z0-9._-]+)/IN(?: \(\w+\))?: (?:not loaded due to errors|loading from (?:primary|master) file \S+ failed)"
)
_TORN = re.compile(r"zone ([a-z0-9._-]+)/IN \(signed\): receive_secure_serial: not exact")
_LOADED = re.compile(r"^serial: (\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Due:
    """How a zone is to be served: with which serial (None: not at all), signed by the key with which tag (None: not).

    named gives a zone that it signs serials of its own: this one or a later one, and one `beyond` that which it had
    before, when there is one.
    """

    serial: int | None = None
    tag: int | None = None
    beyond: int | None = None
    size: int = 0

    def met(self, found: Start | None) -> bool:
        """Whether what is served is what is due."""
        if found is None or self.serial is None or found.serial is None:
            return found == Start() and self.serial is None
        if self.tag is None:
            return found == Start(self.serial)
        fresh = self.beyond is None or soa.ahead(found.serial, self.beyond)
        return fresh and found.tags == {self.tag} and not soa.ahead(self.serial, found.serial)


def due(new: "Difference", tree: str, old: str | None) -> dict[str, Due]:
    """How the zones that differ are to be served; asks what is served now of those that are signed before and after."""
    found = {zone: of_file(tree, zone) for zone in new.changed} | dict.fromkeys(new.gone, Due())
    if old is None:
        return found
    moved = sorted(zone for zone, each in found.items() if each.tag is not None and _moves(old, zone, each))
    now = soa.starts(moved) if moved else {}
    known = {zone: start.serial for zone, start in now.items()}
    return found | {zone: _beyond(found[zone], known.get(zone)) for zone in moved}


def _beyond(each: Due, serial: int | None) -> Due:
    return Due(each.serial, each.tag, serial, each.size)


def _moves(old: str, zone: str, each: Due) -> bool:
    """Whether the zone was signed in the old tree too, with the same key and another serial."""
    before = of_file(old, zone)
    return before.tag == each.tag and before.serial not in (None, each.serial)


def of_file(tree: str, zone: str) -> Due:
    """How a zone is to be served by what a tree has of it."""
    try:
        size = os.stat(f"{tree}/named/{zone}.zone").st_size
    except FileNotFoundError:
        return Due()
    return Due(serial(tree, zone), signing.tag(tree, zone), None, size)


def serial(tree: str, zone: str) -> int | None:
    """The serial in the zone's file; None when there is none to be read."""
    with open(f"{tree}/named/{zone}.zone", encoding="utf-8", errors="replace") as file:
        match = _SERIAL.search(file.read(4096))
    return int(match.group(1)) if match else None


def gone_back(host: Host, signed: Iterable[str], tree: str, old: str | None) -> dict[str, bool]:
    """Those of the signed zones that named would not load as they are, and of each whether that is since it has loaded
    another text under the very serial that is in its file, or another zone of the name, with a key of its own, rather
    than a later text."""
    found = {}
    for zone in sorted(signed):
        if old is not None and signing.tag(old, zone) not in (None, signing.tag(tree, zone)):
            found[zone] = True
            continue
        wanted = serial(tree, zone)
        loaded = of_file(old, zone).serial if old is not None else _loaded(host, zone)
        if wanted is None or loaded is None:
            continue
        same = loaded == wanted and old is not None and _differ(tree, old, zone)
        if same or soa.ahead(loaded, wanted):
            found[zone] = same
    return found


def _differ(tree: str, old: str, zone: str) -> bool:
    return not filecmp.cmp(f"{tree}/named/{zone}.zone", f"{old}/named/{zone}.zone", shallow=False)


def _loaded(host: Host, zone: str) -> int | None:
    """The serial that named read from the zone's file."""
    status, output = host.run(["rndc", "zonestatus", zone], COMMAND_SECONDS)
    match = _LOADED.search(output) if status == 0 else None
    return int(match.group(1)) if match else None


def served(zones: Mapping[str, Due]) -> Mapping[str, Start]:
    """What is served of each; of those that are to be signed, the tags are those of all of its keys as well, once it is
    signed: keys are there first."""
    found = soa.starts(sorted(zones))
    signed = sorted(zone for zone, each in zones.items() if each.tag is not None and zone in found)
    keys = soa.keys(signed) if signed else {}
    answered = {zone: start for zone, start in found.items() if zone not in signed or zone in keys}
    return {
        zone: replace(start, tags=start.tags | keys.get(zone, frozenset())) if start.tags else start
        for zone, start in answered.items()
    }


def of_others(zones: Mapping[str, Due]) -> list[str]:
    """Those that are served with keys that are not theirs: named has another zone of the name still."""
    tags = {zone: each.tag for zone, each in zones.items() if each.tag is not None}
    keys = soa.keys(sorted(tags)) if tags else {}
    return [zone for zone, found in keys.items() if found - {tags[zone]}]


def prove(host: Host, left: Mapping[str, Due]) -> str:
    """Waits until everything is served as is due; the answer is what is not, empty when all is."""
    size = sum(each.size for each in left.values() if each.tag is not None)
    patience = SECONDS + len(left) / ZONES_A_SECOND + size / SIGNED_BYTES_A_SECOND
    began, started = time.time(), time.monotonic()
    asked_at = started
    while True:
        found = served(left)
        left = {zone: each for zone, each in left.items() if not each.met(found.get(zone))}
        if not left or time.monotonic() > started + patience:
            break
        if time.monotonic() > asked_at + SECONDS_OF_SILENCE:
            said = _journal(host, began)
            if (blamed(said) | _torn(said)) & left.keys():
                break
            asked_at = time.monotonic()
        time.sleep(0.02)
    return _unproved(host, left, found, began)


def blamed(words: str) -> frozenset[str]:
    """The zones of which named says that it did not load them."""
    return frozenset(_NOT_LOADED.findall(words))


def torn(host: Host, since: float) -> frozenset[str]:
    """The signed zones of which named has said that what changed does not fit what it has: it was started with an edit
    by hand, say, that it did not sign."""
    return _torn(_journal(host, since))


def _torn(words: str) -> frozenset[str]:
    return frozenset(_TORN.findall(words))


def _journal(host: Host, since: float) -> str:
    argv = [
        "journalctl",
        "--quiet",
        "--no-pager",
        "--output=cat",
        f"--since=@{int(since)}",
        "--unit=named.service",
    ]
    status, output = host.run(argv, COMMAND_SECONDS)
    return output if status == 0 else ""


def _unproved(host: Host, left: Mapping[str, Due], found: Mapping[str, Start], began: float) -> str:
    """What is wrong with one of the zones that are left: one that named would not load, if there is one."""
    if not left:
        return ""
    zone = min(blamed(_journal(host, began)) & left.keys(), default=min(left))
    served = "no answer" if zone not in found else _told(found[zone])
    words = f"{zone}: {_wanted(left[zone])} is wanted, and {served} is served"
    if len(left) > 1:
        words += f"; so it is with {len(left) - 1} others"
    return explained(host, words, {zone}, began)


def explained(host: Host, words: str, zones: Collection[str], began: float) -> str:
    """The words, and what named has said since of one of these zones, if it would not load it."""
    said = _journal(host, began)
    zone = min(blamed(said) & set(zones), default=min(zones, default=""))
    about = [line for line in said.splitlines() if zone and f"zone {zone}/IN" in line]
    return "; ".join([words, *about[-3:]])


def _wanted(each: Due) -> str:
    signed = "" if each.tag is None else f" or a later one, signed by key {each.tag},"
    return f"serial {each.serial or 'none'}{signed}"


def _told(start: Start) -> str:
    keys = ", ".join(map(str, sorted(start.tags)))
    return f"{start.serial or 'nothing'}{f' signed by key {keys}' if keys else ''}"
