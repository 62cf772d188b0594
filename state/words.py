"""Values that may stand in a configuration file: words of a closed alphabet, checked before any is used."""

import re
from collections.abc import Iterable, Mapping
from typing import Never

_WORDS = re.compile(r"[A-Za-z0-9_./:*@+-]*")


class Rendered(str):
    """A text that a template made, and that another may therefore take in whole."""

    __slots__ = ()


class Several(tuple[str, ...]):
    """Words that a template takes one by one; as a whole they are no word, and refuse to be one."""

    __slots__ = ()

    def __str__(self) -> Never:
        raise ValueError(f"{tuple(self)!r} are several words: a template takes them one by one")


class Words(dict[str, object]):
    """Values by name, of which no character is outside the alphabet. Raises ValueError for others."""

    __slots__ = ()

    def __init__(self, values: Mapping[str, object]) -> None:
        super().__init__(values)
        parts: list[str] = []
        for name, value in values.items():
            if type(value) is str:
                parts.append(value)
            elif isinstance(value, (tuple, list)):
                several = self[name] = Several(map(str, value))
                parts.extend(several)
            elif not isinstance(value, Rendered) and value is not None:
                self[name] = text = str(value)
                parts.append(text)
        if not _WORDS.fullmatch("".join(parts)):
            raise ValueError(f"{_culprit(parts)!r} may not stand in a configuration file")

    def having(self, name: str, text: Rendered | None) -> "Words":
        """These and one more: what a template made, or nothing."""
        more = Words.__new__(Words)
        dict.update(more, self)
        more[name] = text
        return more


def _culprit(parts: Iterable[str]) -> str:
    return next(part for part in parts if not _WORDS.fullmatch(part))
