"""`$GENERATE`: many records of one line, as BIND has it (BIND 9 Administrator Reference Manual, "The $GENERATE
Directive")."""

import re
from collections.abc import Iterator, Sequence
from functools import partial

from state.dns.splitting import pieces
from state.dns.values import TYPES

_RANGE = re.compile(r"([0-9]{1,9})-([0-9]{1,9})(?:/([0-9]{1,9}))?")
_MARKED = re.compile(r"\\.")
_NUMBER = re.compile(
    r"\\.|\$\$|\$(?:\{(?P<offset>-?[0-9]{1,9})(?:,(?P<width>[0-9]{1,2})(?:,(?P<base>[doxXnN]))?)?\}|(?!\{))"
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
            raise ValueError(f"{word!r} is no '${{offset,width,base}}' with a base of d, o, x, X, n or N")
    whole, rest = _whole_value(words[1:]), words[1:]
    for number in range(start, stop + 1, step):
        show = partial(_NUMBER.sub, partial(_shown, number))
        yield [*map(show, rest)] if whole is None else [*map(show, rest[:-1]), *_words(show(whole))]


def _whole_value(words: Sequence[str]) -> str | None:
    """What a value is that stands in one pair of quotation marks: BIND takes one word for all of a value, reads what is
    in them as if they were not there, and what is in marked ones within as a string."""
    place = next((i for i, word in enumerate(words) if i and word.upper() in TYPES), len(words))
    if place != len(words) - 2 or words[-1][0] + words[-1][-1] != '""':
        return None
    return _MARKED.sub(lambda found: found[0][-1] if found[0] == '\\"' else found[0], words[-1][1:-1])


def _words(text: str) -> list[str]:
    piece = next(pieces(text), None)
    if piece is not None and piece.fault:
        raise ValueError(piece.fault)
    return piece.words if piece else []


def _shown(number: int, found: re.Match[str]) -> str:
    if found[0] in {"\\$", "$$"}:
        return "$"
    if found[0].startswith("\\"):
        return found[0]
    value, width = number + int(found["offset"] or 0), int(found["width"] or 0)
    if value < 0:
        raise ValueError("its offset makes a number below 0")
    base = found["base"] or "d"
    return _nibbles(value, width, base) if base in "nN" else format(value, base).zfill(width)


def _nibbles(value: int, width: int, base: str) -> str:
    """The digits of a number from the last one on, with dots between them, as in names below ip6.arpa."""
    digits = f"{value:{'x' if base == 'n' else 'X'}}"[::-1]
    text = ".".join(digits)
    while len(text) < width:
        text += "." if text[-1] != "." else "0"
    return text
