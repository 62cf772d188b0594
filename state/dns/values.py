"""What records say, type by type, as a zone file has it: judged by dnspython, written by nobody else.

What a tenant writes is read in a time that grows as its length does: no expression here tries a place twice.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tokenizer
from dns.rdtypes.ANY.TXT import TXT

from state.dns.names import target_name
from state.dns.rewriting import no_rewriting
from state.dns.services import SERVICES, written

TYPES = tuple("A AAAA CNAME MX TXT NS SRV CAA PTR TLSA DS SSHFP NAPTR HTTPS SVCB".split())
PRIORITISED = frozenset({"MX", "SRV"})
_LONGEST = 65535
_WORDS = re.compile(r'(?:"(?:[^"\\]|\\.?)*+"?|\\.?|[^\s"\\])++')


@lru_cache(maxsize=1 << 18)
def rdata(record_type: str, value: str, priority: int, zone: str) -> str:
    """The value in the form of a zone file, its names whole. Raises ValueError saying what is wrong."""
    if any(not character.isprintable() for character in value):
        raise ValueError("must not contain control characters")
    if priority and record_type not in PRIORITISED:
        raise ValueError(f"a record of type {record_type} has no priority")
    words = f"{priority} {value}" if record_type in PRIORITISED else value
    try:
        text = _FORMS.get(record_type, _parsed)(record_type, words, zone)
    except dns.exception.DNSException as error:
        raise ValueError(f"is no value of a record of type {record_type}: {error}") from None
    if record_type == "NAPTR" and (wrong := no_rewriting(text)):
        raise ValueError(wrong)
    return text


def has_remark(record_type: str, value: str) -> bool:
    """Whether a part of a value would be taken for a remark, and so be lost (RFC 1035, section 5.1)."""
    if record_type == "TXT" and not _quoted(value):
        return False
    tokenizer = dns.tokenizer.Tokenizer(value)
    with suppress(dns.exception.DNSException):  # which is told of otherwise
        while not (token := tokenizer.get(want_comment=True)).is_eol_or_eof():
            if token.is_comment():
                return True
    return False


def target_of(record_type: str, text: str) -> str:
    """The name that a value in the form of a zone file leads to; empty for types that lead nowhere."""
    place = _TARGETS.get(record_type)
    return "" if place is None else text.split()[place]


def target_place(record_type: str, words: Sequence[str]) -> int | None:
    """Which word of a value in the form of a zone file is a name; none for types and values that have none."""
    place = _TARGETS.get(record_type)
    return None if place is None or len(words) < _least(record_type) else place


def of_file(record_type: str, words: str) -> str:
    """A value of a zone file as a document has it: there, several words of a text are several strings of it.

    Raises dns.exception.DNSException.
    """
    return _parsed(record_type, words, "") if record_type == "TXT" else words


def _parsed(record_type: str, words: str, _zone: str) -> str:
    kind = dns.rdatatype.from_text(record_type)
    found = dns.rdata.from_text(dns.rdataclass.IN, kind, words, relativize=False)
    if words.startswith(
        "\\#"
    ):  # bytes (RFC 3597), of which less is asked: it must be possible to say them in words
        return _parsed(record_type, found.to_text(), _zone)
    return written(found) if record_type in SERVICES else found.to_text()


def _targeted(record_type: str, words: str, zone: str) -> str:
    """Of a value with a name in it, that name made whole."""
    parts, place = _WORDS.findall(words), _TARGETS[record_type]
    if len(parts) < _least(record_type):
        raise ValueError(f"is no value of a record of type {record_type}: {_SHAPES[record_type]} is")
    parts[place] = target_name(parts[place], zone)
    return _parsed(record_type, " ".join(parts), zone)


def _least(record_type: str) -> int:
    """How many words a value with a name in it has at least."""
    return 6 if record_type == "NAPTR" else _TARGETS[record_type] + 1


def _text(_type: str, words: str, _zone: str) -> str:
    """A text in strings of at most 255 bytes; one in quotation marks is read as a zone file has it."""
    strings = _strings(words) if _quoted(words) else [words.encode()]
    pieces = [each[i : i + 255] for each in strings for i in range(0, max(len(each), 1), 255)]
    if sum(len(piece) + 1 for piece in pieces) > _LONGEST:
        raise ValueError(f"is too long: at most {_LONGEST} bytes")
    return TXT(dns.rdataclass.IN, dns.rdatatype.TXT, pieces).to_text()


def _quoted(words: str) -> bool:
    return len(words) > 1 and words.startswith('"') and words.endswith('"')


def _strings(words: str) -> list[bytes]:
    tokenizer, found = dns.tokenizer.Tokenizer(words), []
    while not (token := tokenizer.get()).is_eol_or_eof():
        found.append(token.unescape_to_bytes().value)
    return found


_TARGETS: Mapping[str, int] = {
    "CNAME": 0, "NS": 0, "PTR": 0, "MX": 1, "SRV": 3, "HTTPS": 1, "SVCB": 1, "NAPTR": -1,
}  # fmt: skip
_SHAPES: Mapping[str, str] = {
    "CNAME": "a name",
    "NS": "a name",
    "PTR": "a name",
    "MX": "a name, with the priority beside it,",
    "SRV": "'weight port name', with the priority beside it,",
    "HTTPS": "'1 . alpn=h2'",
    "SVCB": "'1 name port=853'",
    "NAPTR": '\'order preference "flags" "service" "regexp" name\'',
}
_FORMS: Mapping[str, Callable[[str, str, str], str]] = {"TXT": _text, **dict.fromkeys(_TARGETS, _targeted)}
