"""Rewriting by NAPTR (RFC 3402, section 3.2): a regular expression of POSIX, judged as strictly as by BIND."""

import re

_NONE = (
    "has no POSIX extended regular expression such as '!^.*$!sip:info@example.com!' (RFC 3402, section 3.2)"
)
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\([0-9]{3}|.)")
_PART = r"((?:[^\\{0}]|\\.)*)"
_NO_MARKS = "0123456789\\i"

_CLASSES = "alnum|alpha|blank|cntrl|digit|graph|lower|print|punct|space|upper|xdigit"
_SPECIAL = rf"\[:(?:{_CLASSES}):\]|\[=[^\]=]=\]|\[\.[^\].]\.\]|\[(?![.:=])"
_MEMBER = r"[^\[\]-]"
_TO = rf"(?:-(?:{_MEMBER}|(?=\])))?"
_BRACKET = rf"\[\^?+(?:[]-]{_TO}|{_MEMBER}{_TO}|{_SPECIAL})(?:{_MEMBER}{_TO}|{_SPECIAL})*\]"
_RANGE = re.compile(rf"{_SPECIAL}|(.)-(.)|.", re.DOTALL)
_BOUND = r"\{(?P<low>[0-9]+)(?:,(?P<high>[0-9]*))?\}"
_MOST = 255
_TOKEN = re.compile(
    rf"(?P<mark>[()|])|(?P<many>[*+?])|(?P<anchor>[$^])|(?P<bracket>{_BRACKET})|(?P<bound>{_BOUND})"
    r"|(?P<literal>\\[^A-Za-z0-9]|[^\\\[{]|\{(?![0-9]))",
    re.DOTALL,
)
_SIGNS = {"literal": "a", "bracket": "a", "many": "*", "bound": "*", "anchor": "^"}
_BRANCHES = r"(?:a\*?|\^)+(?:\|(?:a\*?|\^)+)*"
_GROUP = re.compile(rf"\((?:{_BRANCHES})?\)")


def no_rewriting(text: str) -> str:
    """What is wrong with the regular expression of a NAPTR in the form of a zone file; empty when nothing is."""
    said = _ESCAPED.sub(_character, _STRING.findall(text)[2])
    if not said:
        return ""
    part = _PART.format(re.escape(said[0]))
    match = re.fullmatch(rf"(.){part}\1{part}\1i?", said, re.DOTALL)
    if said[0] in _NO_MARKS or "\0" in said or match is None:
        return _NONE
    numbers = [int(number) for number in re.findall(r"\\(.)", match[3], re.DOTALL) if number in "0123456789"]
    return "" if (found := _groups(match[2])) is not None and all(0 < n <= found for n in numbers) else _NONE


def _character(match: re.Match[str]) -> str:
    return match[1] if len(match[1]) == 1 else chr(int(match[1]))


def _groups(expression: str) -> int | None:
    """How many groups a regular expression has; none for what is none, or is nothing that POSIX defines.

    It is written with one sign for each of its pieces first, and then every group in it as a piece.
    """
    shape, found, count = _TOKEN.sub(_sign, expression), 0, 1
    while count:
        shape, count = _GROUP.subn("a", shape)
        found += count
    return found if re.fullmatch(_BRANCHES, shape) else None


def _sign(token: re.Match[str]) -> str:
    """`a` for what is matched, `*` for how often, `^` for where; what is wrong as it is, which is in no shape."""
    wrong = token[0] if token.lastgroup in {"bracket", "bound"} and not _ordered(token) else ""
    return wrong or _SIGNS.get(token.lastgroup or "", token[0])


def _ordered(token: re.Match[str]) -> bool:
    """Whether the ranges of a bracket, or of a bound, begin with what is not after their end."""
    if token.lastgroup == "bound":
        low = int(token["low"])
        return low <= int(token["high"] or _MOST) <= _MOST
    inner = token[0].removeprefix("[").removeprefix("^").removesuffix("]")
    return all(found[1] is None or found[1] <= found[2] for found in _RANGE.finditer(inner))
