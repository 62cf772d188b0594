"""How a zone stands with its signatures: its key, and what keeps a zone signed that is to be so no more.

A zone whose key is published in the zone above (as a DS record) and that has no signatures is taken for forged (RFC
4035, section 5.2). So it stays signed until the DS is gone and nobody can have kept it (RFC 6781, section 4.4).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from state.compiling import Reason
from state.dns.keys import ZoneKey, delegation, dnskey, known_key
from state.dns.serial import later

SIGNED, KEYS = "ds_records", "dnskey_records"
"""What is remembered of a zone from when it is served signed to when it no longer is."""
ABOVE, RELEASED = "above", "released"
"""What was seen in the zone above; and, once signatures may go, the serial that was served last."""

OUT = "out"
"""The serial that a zone was seen with on its host, as long as it comes after what is published."""

NOT_SIGNED: Mapping[str, Any] = dict.fromkeys((SIGNED, KEYS, ABOVE, RELEASED))
"""What is remembered of a zone that is not, or no more: none of that."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the zone above says of this one: its DS records and for how many seconds they are kept; or why it is not
    known."""

    published: tuple[str, ...] = ()
    ttl: int = 0
    unknown: str = ""


def leaves(wanted: bool, kept: Mapping[str, Any]) -> bool:
    """Whether the zone is signed and is to be so no more."""
    return not wanted and bool(kept.get(SIGNED)) and kept.get(RELEASED) is None


def key_now(wanted: bool, kept: Mapping[str, Any]) -> ZoneKey | None:
    """The key that the zone is to be signed with now, if it is."""
    return known_key(kept) if wanted or leaves(wanted, kept) else None


def mark(key: ZoneKey | None) -> tuple[str, ...]:
    """What makes the zone's file another one, and thus its serial a larger one, when its signatures come or go."""
    return () if key is None else (f"; signed with key {key.tag}",)


def serial_of(kept: Mapping[str, Any]) -> int:
    """The last serial that may have been served (0: none)."""
    serial, released = later(int(kept.get("serial", 0)), int(kept.get(OUT) or 0)), kept.get(RELEASED)
    return later(serial, int(released["serial"])) if released else serial


def remembered(zone: str, key: ZoneKey | None, kept: Mapping[str, Any], *, wanted: bool) -> dict[str, Any]:
    """What is to be remembered once the zone is served just so."""
    if key is None:
        return dict(NOT_SIGNED)
    above = None if wanted else kept.get(ABOVE)
    return {SIGNED: [delegation(zone, key)], KEYS: [dnskey(key)], ABOVE: above, RELEASED: None}


def told(key: ZoneKey | None) -> Reason | None:
    """That the zone is signed."""
    if key is None:
        return None
    return Reason("Signed", f"it is signed with key {key.tag}; the zone above is to publish its DS record")


def warning(kept: Mapping[str, Any]) -> Reason:
    """Why a zone that is to be signed no more still is."""
    above = kept.get(ABOVE)
    if above is None:
        return _still(
            "DsNotLookedUp", "whether the zone above publishes a DS record for it is being looked up"
        )
    if above.get("unknown"):
        return _still(
            "DsUnknown", f"whether the zone above publishes a DS record is not known: {above['unknown']}"
        )
    if above["published"]:
        records = ", ".join(above["published"])
        words = f"the zone above publishes a DS record ({records}), without signatures it would be taken for forged"
        return _still("DsPublished", f"{words}: have the DS record removed there first")
    if above.get("silent"):
        return _still("SerialUnknown", "its name server does not tell the control plane its serial")
    words = (
        f"the zone above has no DS record for it, but who asked before may know one until {above['until']}"
    )
    return _still("DsKept", words)


def parting(kept: Mapping[str, Any]) -> tuple[Reason, ...]:
    """What there is to know of a signed zone that is not served any more, or about to go."""
    if not kept.get(SIGNED):
        return ()
    words = (
        "it was signed: as long as the zone above publishes its DS record, whatever is served in its place "
        "without that key is taken for forged: have the DS record removed there"
    )
    return (Reason("DsLeftBehind", words),)


def _still(code: str, why: str) -> Reason:
    return Reason(code, f"it stays signed: {why}")


def after_look(
    kept: Mapping[str, Any], seen: Seen, serial: int | None, at: datetime, hold: timedelta, *, forced: bool
) -> dict[str, Any]:
    """What is remembered of a zone that is to be signed no more, after a look at the zone above.

    `serial` is the one that is served (None: not known), `hold` for how long a DS record may be known to others when
    its own time is not known to be longer. `forced`: signatures go whatever there is above.
    """
    above = _above(kept.get(ABOVE) or {}, seen, at, hold)
    free = forced or (
        not seen.unknown and not seen.published and at >= datetime.fromisoformat(above["until"])
    )
    if not free:
        return {ABOVE: above}
    if serial is None and not forced:
        return {ABOVE: {**above, "silent": True}}
    return {ABOVE: above, RELEASED: {"serial": serial or 0}}


def _above(old: Mapping[str, Any], seen: Seen, at: datetime, hold: timedelta) -> dict[str, Any]:
    ttl = max(seen.ttl, int(old.get("ttl", 0)))
    if seen.unknown:
        return {**old, "published": [], "unknown": seen.unknown}
    if seen.published:
        return {"published": sorted(seen.published), "ttl": ttl}
    gone = datetime.fromisoformat(old["gone_at"]) if "gone_at" in old else at
    until = gone + max(hold, timedelta(seconds=ttl))
    return {"published": [], "ttl": ttl, "gone_at": _text(gone), "until": _text(until)}


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
