"""`$GENERATE`: many records of one line, as BIND has it (BIND 9 Administrator Reference Manual, "The $GENERATE
Directive")."""

import re
from collections.abc import Iterator, Sequence
from functools import partial

_RANGE = re.compile(r"([0-9]{1,9})-([0-9]{1,9})(?:/([0-9]{1,9}))?")
_NUMBER = re.compile(
    r"\\.|\$\$|\$(?:\{(?P<offset>-?[0-9]{1,9})(?:,(?P<width>[0-9]{1,2})(?:,(?P<base>[doxX]))?)?\}|(?!\{))"
)


def generated(words: Sequence[str], most: int) -> Iterator[list[str]]:
    """The words of each record that the ones behind `$GENERATE` stand for. Raises ValueError."""
    match = _RANGE.fullmatch(words[0]) if words else None
    if match is None or len(words) < 4:
        raise ValueError("is no $GENERATE: it is '1-9 name type value', and may have a step, '1-9/2'")
    start, stop, step = int(match[1]), int(match[2]), int(match[3] or 1)
    if stop < start or not step:
        raise ValueError("its range goes upwards, by 1 at least")
    if (stop - start) // step >= most:
        raise ValueError(f"it makes more than {most} records")
    for word in words[1:]:
        if "${" in _NUMBER.sub("", word):
            raise ValueError(f"{word!r} is no '${{offset,width,base}}' with a base of d, o, x or X")
    for number in range(start, stop + 1, step):
        yield [_NUMBER.sub(partial(_shown, number), word) for word in words[1:]]


def _shown(number: int, found: re.Match[str]) -> str:
    if found[0] in {"\\$", "$$"}:
        return "$"
    if found[0].startswith("\\"):
        return found[0]
    value, width = number + int(found["offset"] or 0), int(found["width"] or 0)
    if value < 0:
        raise ValueError("its offset makes a number below 0")
    return format(value, found["base"] or "d").zfill(width)
