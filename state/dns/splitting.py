"""The text of a zone file in pieces: the words of each record or directive, and its line (RFC 1035, section 5.1)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_WORD = re.compile(r'(?:"(?:[^"\\\n]|\\.)*"|\\.|[^\s;()"\\])+|[()]|;[^\n]*|\n|[^\S\n]+|["\\]')


@dataclass(slots=True)
class Piece:
    """The words from one line (from 1) on; `inherits`: it begins with a space, and so with the owner before it."""

    number: int
    words: list[str] = field(default_factory=list)
    inherits: bool = False
    fault: str = ""


def pieces(text: str) -> Iterator[Piece]:
    """Every record or directive there is. One that cannot be read has a fault, and the next one is read again."""
    number, depth, fresh = 1, 0, True
    piece = Piece(number)
    for match in _WORD.finditer(text + "\n"):
        word = match[0]
        if word != "\n":
            depth += _take(piece, word, depth, fresh=fresh)
            fresh = False
            continue
        number += 1
        if depth and not piece.fault:
            continue
        if piece.words or piece.fault:
            yield piece
        piece, depth, fresh = Piece(number), 0, True
    if depth:
        piece.fault = "a parenthesis is opened here that is never closed"
        yield piece


def _take(piece: Piece, word: str, depth: int, *, fresh: bool) -> int:
    """Puts a word to its piece; by how much it is deeper in parentheses then."""
    if word in {'"', "\\"}:
        piece.fault = "a quotation mark is never closed, or a backslash has nothing behind it"
    elif word == ")" and not depth:
        piece.fault = "a parenthesis is closed that was never opened"
    elif word in {"(", ")"}:
        return 1 if word == "(" else -1
    elif word.isspace():
        piece.inherits = piece.inherits or fresh
    elif not word.startswith(";"):
        piece.words.append(word)
    return 0
