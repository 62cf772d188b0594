"""Odd values of records, made by chance, of words that are right somewhere: what of them is taken, BIND has to load."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from random import Random

from state.dns.values import PRIORITISED, TYPES, rdata

Words = Sequence[str]
_LONG = "ab" * 20, "ab" * 32, "ab" * 48
_HEX = (*_LONG, *_LONG, "00", "0", "ab cd", "zz", "-", "AB" * 32)
_NUMBERS = (*"0123456789", "13", "250", "253", "254", "255", "256", "65535", "65536", "-1", "08")
_NAMES = (
    ".", "@", "a", "a.b", "a.b.", "_x._y.z.", "1.2.3.4", "*.x.", "xn--a.", "é.test.", "a\\.b.c.", "\\032.",
    "a;b", "com", "0",
)  # fmt: skip
_STRINGS = (
    '""', '"a"', "a", '"\\""', '"\\200"', '"é"', '"a;b"', "(", ")", ";x", '"a b"', "\\", "\\065", '"\\000"',
    f'"{"x" * 255}"', "",
)  # fmt: skip
_ADDRESSES = (
    "192.0.2.1", "0.0.0.0", "192.0.2.01", "1.2.3", "::", "::1", "::ffff:1.2.3.4", "2001:DB8::1", "fe80::1%e",
    "1::2::3",
)  # fmt: skip
_FLAGS = ('""', '"u"', '"S"', "u", '"\\200"', '"u;x"', '"\\""', '"a b"')
_TAGS = ("issue", "issuewild", "iodef", "tbs", "ISSUE", "a-b", "a" * 255, "é", "0")
_PATTERN = (
    "a", "b", "!", "\\\\", "(", ")", "|", "*", "+", "?", "{2}", "{2,1}", "{,2}", "{2,}", "{", "}", "{300}",
    "{255}", "[", "]",
    "[a-z]", "[^a]", "[[:alpha:]]", "[[:foo:]]", "[[.a.]]", "[[=a=]]", "[a-]", "[]a]", "[z-a]", "[a-c-e]",
    "[^]", "[]", "-",
    "[--a]", "[^^]", "[[a]", "[a\\\\]", "[a-c[:alpha:]-]", "^", "$", ".", "é", "\\200", "\\000", '\\"',
    "\\001", "i", "1", ";",
    " ", "(a)", "(a|b)", "()",
)  # fmt: skip
_REPLACEMENT = ("b", "\\\\1", "\\\\2", "\\\\0", "\\\\", "x", "", "é", ";")
_KEYS = (
    "mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath", "ohttp", "docpath",
    *(f"key{number}" for number in (*range(12), 65280, 65534, 65535, 65536)), "ALPN", "x",
)  # fmt: skip
_LISTED = (
    "h2", "h3", "h2c", "http/1.1", "dot", "a\\\\,b", "a\\,b", 'a\\"b', "\\000", "\\200", "", "alpn", "port",
    "key8", "ohttp",
    "dohpath", "key65280", "mandatory",
)  # fmt: skip
_PATH = (
    "/", "q", "{?dns}", "{?a,dns}", "{dns}", "{?dns*}", "{?dns:3}", "{=dns}", "{", "}", "%", "%2f", "é",
    "\\200", "{?a.b}", "{?%41}",
)  # fmt: skip
_MANIFOLD = ("NAPTR", "HTTPS", "SVCB") * 20
_OWNERS = (
    "w",
    "_dns",
    "_853._dns",
    "*",
    "*.w",
    "_443._tcp",
    "_dns.w",
    "*._dns",
    "a_b",
    "_99999._dns",
    "_dns._dns",
)


def odd(random: Random) -> Iterator[tuple[str, str, str]]:
    """Names, types and values as they are taken, in the form of a zone file, without an end."""
    while True:
        record_type = random.choice((*TYPES, *_MANIFOLD))
        value = _garbled(_SHAPES[record_type](random), random)
        priority = random.choice((0, 10, 65535)) if record_type in PRIORITISED else 0
        with suppress(ValueError):
            yield random.choice(_OWNERS), record_type, rdata(record_type, value, priority, "example.com")


def _garbled(value: str, random: Random) -> str:
    """Once in a while with something in it that does not belong there, or without something that does."""
    if random.random() < 0.9:
        return value
    place = random.randrange(len(value) + 1)
    return (
        value[:place]
        + random.choice((*_STRINGS, *_PATTERN, "\\# 3 000000"))
        + value[place + random.randrange(3) :]
    )


def _row(*columns: Words) -> Callable[[Random], str]:
    def make(random: Random) -> str:
        if random.random() < 0.05:
            data = random.randbytes(random.randrange(40))
            return f"\\# {len(data)} {data.hex()}"
        return " ".join(random.choice(column) for column in columns)

    return make


def _some(random: Random, words: Words, mark: str = "") -> str:
    return mark.join(random.choices(words, k=random.choice((1, 1, 2, 2, 3, 5))))


def _naptr(random: Random) -> str:
    mark = random.choice("!!!!!!/#|^-]i1.")
    parts = (_some(random, _PATTERN), _some(random, _REPLACEMENT), random.choice(("", "", "i", "x")))
    expression = mark + mark.join(parts)
    return _row(_NUMBERS, _NUMBERS, _FLAGS, _FLAGS, (f'"{expression}"', expression, '""'), _NAMES)(random)


def _service(random: Random) -> str:
    found = " ".join(_parameter(random) for _ in range(random.randrange(4)))
    return f"{random.choice(_NUMBERS)} {random.choice(_NAMES)} {found}"


def _parameter(random: Random) -> str:
    value = random.choice((
        "", random.choice(_NUMBERS), _some(random, _ADDRESSES, ","), _some(random, _LISTED, ","),
        "AAYABAAAAAA=", "\\000\\001",
        f"/{_some(random, _PATH)}", f"/{_some(random, _PATH)}", "\\002h2",
    ))  # fmt: skip
    return random.choice(("{}", "{}={}", '{}="{}"', '{}="{}"')).format(random.choice(_KEYS), value)


_SHAPES: Mapping[str, Callable[[Random], str]] = {
    "A": _row(_ADDRESSES),
    "AAAA": _row(_ADDRESSES),
    "CNAME": _row(_NAMES),
    "NS": _row(_NAMES),
    "PTR": _row(_NAMES),
    "MX": _row(_NAMES),
    "SRV": _row(_NUMBERS, _NUMBERS, _NAMES),
    "TXT": _row(_STRINGS, _STRINGS, _STRINGS),
    "CAA": _row(_NUMBERS, _TAGS, _STRINGS),
    "TLSA": _row(_NUMBERS, _NUMBERS, _NUMBERS, _HEX),
    "DS": _row(_NUMBERS, (*_NUMBERS, "RSASHA256", "x"), _NUMBERS, _HEX),
    "SSHFP": _row(_NUMBERS, _NUMBERS, _HEX),
    "NAPTR": _naptr,
    "HTTPS": _service,
    "SVCB": _service,
}
