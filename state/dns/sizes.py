"""How much fits at one name: all records of a type are one answer (RFC 1035, section 4.2.2; RFC 2181, section 5)."""

from collections.abc import Iterable, Sequence

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype

LARGEST_SET = 60_000
MOST_OF_A_TYPE = 100  # what BIND loads of a type at a name, unless it is told otherwise
_AROUND = 12  # what an answer has with each record, beside what it says
_STRETCHED = 2  # by how much more than its text a record can be
_ZEROES = 16  # what `::` alone may stand for


def oversized(record_type: str, texts: Iterable[str]) -> bool:
    """Whether these records of a name and type, in the form of a zone file, are more than an answer has room for.

    The rest of the 65,535 bytes of an answer is for its question and signatures.
    """
    found = list(texts)
    if len(found) > MOST_OF_A_TYPE:
        return True
    return not has_room(found) and sum(_AROUND + _length(record_type, text) for text in found) > LARGEST_SET


def has_room(texts: Sequence[str]) -> bool:
    """Whether there is room for these records for sure, whatever they are."""
    most = sum(len(text) + _ZEROES * text.count("::") for text in texts)
    return len(texts) <= MOST_OF_A_TYPE and most + (_AROUND + _STRETCHED) * len(texts) <= LARGEST_SET


def _length(record_type: str, text: str) -> int:
    """Its bytes; of what is no record, and thus not served, those of its text."""
    kind = dns.rdatatype.from_text(record_type)
    try:
        return len(dns.rdata.from_text(dns.rdataclass.IN, kind, text, relativize=False).to_digestable())
    except dns.exception.FormError:  # a part of it alone is more than its length can say
        return LARGEST_SET + 1
    except dns.exception.DNSException:
        return len(text)
