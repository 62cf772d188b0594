"""Serials of zones: they only grow, in the arithmetic of RFC 1982, and show the day as far as they can."""

from datetime import date

_HALF, _ALL = 2**31, 2**32


def next_serial(previous: int, day: date) -> int:
    """The serial after `previous` (0: there was none): YYYYMMDDnn of the day, unless that would not be larger.

    After 99 changes in a day, or under a clock that went back, it is the next number.
    """
    dated = day.year * 1_000_000 + day.month * 10_000 + day.day * 100 + 1
    if not previous or ahead(dated, previous):
        return dated
    return (previous + 1) % _ALL or 1


def later(one: int, other: int) -> int:
    """The one of two serials that comes after the other one; 0 is none."""
    return other if not one or (other and ahead(other, one)) else one


def ahead(one: int, other: int) -> bool:
    """Whether a serial comes after another one (RFC 1982, section 3.2)."""
    return 0 < (one - other) % _ALL < _HALF
