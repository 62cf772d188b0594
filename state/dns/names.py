"""Names in a zone: of records, relative to it, and of what they lead to, which may be elsewhere."""

import re
from collections.abc import Iterator

import idna

APEX = "@"
_LONGEST = 253
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_PLAIN = re.compile(rf"(?:\*\.)?{_LABEL.pattern}(?:\.{_LABEL.pattern})*")
_ADDRESS = re.compile(r"[0-9.]+|.*:.*")


def owner_name(text: str, zone: str) -> str:
    """A record's name relative to its zone: ``@``, ``www``, ``*.dev``. Raises ValueError.

    A name that ends in the zone's own, or in a dot, is taken for a whole one. What comes of it is no such name, so
    that it stays what it is however often it is asked for: one that has the zone's name twice is refused.
    """
    if _PLAIN.fullmatch(text) and not text.endswith(zone) and len(text) + len(zone) < _LONGEST:
        return text  # as it is stored: this is asked for every record at every look
    name = text.lower() or APEX
    if name == APEX:
        return APEX
    whole = name.removesuffix(".")
    if whole == zone or _ascii(whole) == zone:
        return APEX
    plain = _ascii(whole)
    if plain.endswith(f".{zone}"):
        plain = plain.removesuffix(f".{zone}")
        if f".{plain}".endswith(f".{zone}"):
            raise ValueError(f"{text!r} has the zone's name twice: is a dot missing at the end of {plain!r}?")
    elif name.endswith("."):
        raise ValueError(f"{text!r} is not in the zone {zone!r}")
    labels = plain.split(".")
    for label in labels[1:] if labels[0] == "*" else labels:
        _check(label)
    _check_length(f"{plain}.{zone}")
    return plain


def place_of(target: str, zone: str) -> str:
    """The relative name of what a record leads to, whole and in the zone; empty when no record can stand there."""
    try:
        return owner_name(target, zone)
    except ValueError:
        return ""


def target_name(text: str, zone: str) -> str:
    """What a record leads to, as a whole name with its final dot. Raises ValueError.

    A name without any dot is one of the zone; ``@`` is the zone itself, ``.`` the root.
    """
    name = text.lower()
    if name in {APEX, "."}:
        return f"{zone}." if name == APEX else name
    if not name.isascii():
        name = _ascii(name)
    if _ADDRESS.fullmatch(name):
        raise ValueError(f"{text!r} is an address: a name is needed")
    plain = name.removesuffix(".")
    if "." not in name:
        plain = f"{plain}.{zone}"
    for label in plain.split("."):
        _check(label)
    _check_length(plain)
    return f"{plain}."


def absolute(word: str, origin: str) -> str:
    """A name of a zone file as a whole one, with its final dot: without one it is relative to the origin."""
    if word == APEX:
        return origin
    if word.endswith(".") and not word.endswith("\\."):
        return word
    return f"{word}." if origin == "." else f"{word}.{origin}"


def above(owner: str) -> Iterator[str]:
    """The name and those above it, within the zone, without the zone's own."""
    while owner != APEX:
        yield owner
        owner = owner.partition(".")[2] or APEX


def _ascii(name: str) -> str:
    """Every label as its A-label."""
    if name.isascii():
        return name
    return ".".join(label if label.isascii() else _a_label(label) for label in re.split("[.。]", name))


def _a_label(label: str) -> str:
    try:
        return idna.encode(label, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise ValueError(f"{label!r} is no label of a name: {error}") from None


def _check(label: str) -> None:
    if not _LABEL.fullmatch(label):
        raise ValueError(f"{label[:80]!r} is no label of a name: 1-63 of a-z, 0-9, '-' and '_' are")


def _check_length(name: str) -> None:
    if len(name) > _LONGEST:
        raise ValueError("is too long: a whole name has at most 253 characters")
