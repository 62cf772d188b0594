"""What named keeps of zones beside their files: journals of those handed on (RFC 1995), and what it fetched of copies.

A zone with a journal is loaded only if its serial is larger than the one that is served: what goes back, or is put
right again under the serial that it had, is taken out of named first.
"""

import contextlib
import os
from collections.abc import Iterable

from . import soa
from .host import Host
from .paths import Obstructed, walking

JOURNALS, COPIES = "/var/cache/bind/journals", "/var/cache/bind/copies"
_COMPARED = "ixfr-from-differences yes;"


def gone_back(folder: str, serials: Iterable[tuple[str, "int | None"]]) -> list[str]:
    """The zones of a folder, given with the serials of their files, that named would not load as they are."""
    compared = [(zone, serial) for zone, serial in serials if _is_compared(f"{folder}/{zone}.conf")]
    served = soa.serials([zone for zone, _ in compared]) if compared else {}
    back = []
    for zone, serial in compared:
        now = served.get(zone)
        if now is not None and (serial is None or not soa.ahead(serial, now)):
            back.append(zone)
    return sorted(back)


def _is_compared(path: str) -> bool:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return _COMPARED in file.read(4096)
    except FileNotFoundError:
        return False


def forget(host: Host, zones: Iterable[str]) -> None:
    """Removes what named kept of these zones; their folders are named's, which is not followed anywhere."""
    names = list(zones)
    with walking(host) as walker:
        for folder, ending in ((JOURNALS, ""), (COPIES, ""), (COPIES, ".jnl")):
            for zone in names:
                with contextlib.suppress(FileNotFoundError, Obstructed):
                    parent, name = walker.parent(f"{folder}/{zone}{ending}")
                    os.unlink(name, dir_fd=parent)
