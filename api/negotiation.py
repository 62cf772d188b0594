"""Which form of a thing is wanted: content negotiation by ``Accept`` (RFC 9110, section 12.5.1)."""

import re
from collections.abc import Sequence

from api.errors import NotAcceptable

_RANGE = re.compile(r"\s*([\w.+*-]+)/([\w.+*-]+)\s*(;.*)?", re.ASCII)
_WEIGHT = re.compile(r";\s*q=(0(\.\d{0,3})?|1(\.0{0,3})?)\s*(?:;|$)", re.IGNORECASE)
_Range = tuple[str, str, float]


def negotiate(accept: str, offered: Sequence[str]) -> str:
    """The media type of those offered that is liked best; of equals the first. Raises NotAcceptable."""
    ranges = [each for part in accept.split(",") if (each := _range(part))]
    if not accept.strip():
        return offered[0]
    best = max(offered, key=lambda media: _liking(media, ranges))
    if _liking(best, ranges) == 0:
        raise NotAcceptable(f"there is no such form of it: ask for {', '.join(offered)}")
    return best


def _range(part: str) -> _Range | None:
    match = _RANGE.fullmatch(part)
    if match is None:
        return None
    weight = _WEIGHT.search(match[3] or "")
    return match[1].lower(), match[2].lower(), float(weight[1]) if weight else 1.0


def _liking(media: str, ranges: Sequence[_Range]) -> float:
    """The weight of the most precise range that the media type is in; 0 when it is in none."""
    type_, _, subtype = media.partition("/")
    fitting = [
        ((kind != "*") + (sub != "*"), weight)
        for kind, sub, weight in ranges
        if kind in {type_, "*"} and sub in {subtype, "*"}
    ]
    return max(fitting, default=(0, 0.0))[1]
