"""How BIND's zones are judged before they are live: only those that differ, all of them by one program."""

import os
import re
from collections.abc import Mapping

from . import bind

CHECKER = "/usr/bin/named-checkconf"
CONFIGURATION = "/etc/bind/ghostcp.conf"
LIST = ".zones.conf"
_HEAD = 'options { directory "/"; check-names primary ignore; };\n'
_ABOUT = re.compile(r"^(?:\S+: )?zone ([a-z0-9.-]+)/IN: (.*)$|/([a-z0-9.-]+)\.zone:(\d+: .*)$", re.MULTILINE)
_NOT_LOADED = re.compile(r"not loaded due to errors|loading from (?:primary|master) file .* failed")


def options(_: re.Match[str], live: str, tree: str) -> tuple[str, ...]:
    """Judges the whole configuration, without its zones, when there are others or other options."""
    return (CHECKER, CONFIGURATION) if bind.difference(live, tree).options else ()


def zones(_: re.Match[str], live: str, tree: str) -> tuple[str, ...]:
    """Judges the zones that differ, by a configuration that has just these and lies beside the tree."""
    changed = sorted(bind.difference(live, tree).changed)
    if not changed:
        return ()
    place = f"{os.path.dirname(tree)}/{LIST}"
    with open(place, "w", encoding="ascii") as file:
        file.write(_HEAD)
        for zone in changed:
            path = f"{live}/{bind.FOLDER}/{zone}{bind.ZONE}"
            file.write(f'zone "{zone}" {{ type primary; file "{path}"; }};\n')
    return (CHECKER, "-z", place)


def blame(text: str) -> Mapping[str, str]:
    """What is said of each zone that would not load, by its file."""
    said: dict[str, list[str]] = {}
    for zone, words, file, line in _ABOUT.findall(text):
        said.setdefault(zone or file, []).append(words or f"line {line}")
    bad = {zone: words for zone, words in said.items() if any(_NOT_LOADED.search(each) for each in words)}
    return {f"{bind.FOLDER}/{zone}{bind.ZONE}": "; ".join(words) for zone, words in bad.items()}
