"""Zone files of others: what is read, what is left out and why, and every fault with its line."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.dns.authority import Start
from state.dns.master import MOST_FAULTS, MOST_LINES, MOST_RECORDS, MasterFile, read_master
from state.dns.values import PRIORITISED, rdata
from state.dns.zone import Entry, zone_file

ZONE = "example.com"
SOA = "@ 60 IN SOA ns1 hostmaster 2024010101 3600 1800 1209600 300\n"
START = Start("ns1.example.com.", "hostmaster.example.com.", 3600, 1800, 1209600, 300)


def entries(text: str, zone: str = ZONE) -> list[tuple[str, str, str]]:
    return [(e.name, e.type, e.text) for e in records(read_master(text, zone))]


def records(file: MasterFile) -> list[Entry]:
    assert file.faults == ()
    return [line.entry for line in file.records]


def faults(text: str) -> list[tuple[int, str]]:
    return [(note.number, note.reason) for note in read_master(text, ZONE).faults]


def test_names_are_relative_to_the_origin_and_may_be_inherited() -> None:
    text = (
        "@ A 192.0.2.1\n  AAAA ::1\nwww CNAME @\nalias CNAME www.sub\n$ORIGIN sub\n\tTXT a\nWWW A 192.0.2.2\n"
        "$ORIGIN example.com.\nup A 192.0.2.3\n$ORIGIN .\nwhole.example.com A 192.0.2.4\n"
    )
    assert entries(text) == [
        ("@", "A", "192.0.2.1"),
        ("@", "AAAA", "::1"),
        ("www", "CNAME", "example.com."),
        ("alias", "CNAME", "www.sub.example.com."),
        ("alias", "TXT", '"a"'),
        ("www.sub", "A", "192.0.2.2"),
        ("up", "A", "192.0.2.3"),
        ("whole", "A", "192.0.2.4"),
    ]


def test_a_record_may_go_over_several_lines_with_remarks() -> None:
    text = 'a TXT ( "x;y" ; a remark (\n  "z(" ) ; another\r\n\r\n; none\nb A 192.0.2.1'
    file = read_master(text, ZONE)
    assert [(line.number, line.entry.text) for line in file.records] == [
        (1, '"x;y" "z("'),
        (5, "192.0.2.1"),
    ]


def test_several_words_of_a_text_are_several_strings() -> None:
    text = 'a TXT one "two words" thr\\"ee\nb TXT "caf\\195\\169"\nc TXT café\n'
    assert [text for _, _, text in entries(text)] == [
        '"one" "two words" "thr\\"ee"',
        '"caf\\195\\169"',
        '"caf\\195\\169"',
    ]


_START = "@ SOA ns1 h 1 3600 1800 1209600 300\n"


@pytest.mark.parametrize(
    ("text", "ttls"),
    [
        ("a A 192.0.2.1\n", [3600]),
        (f"{SOA}a A 192.0.2.1\n", [60]),
        (f"{_START}a A 192.0.2.1\n", [300]),
        ("$TTL 1h30m\na 5 A 192.0.2.1\nb A 192.0.2.1\n", [5, 5400]),
        (f"{_START}a 9 A 192.0.2.1\nb A 192.0.2.1\n", [9, 300]),
        (f"@ 600 {_START[2:]}a 9 A 192.0.2.1\nb A 192.0.2.1\n$TTL 7\nc A 192.0.2.1\n", [9, 9, 7]),
        (f"a 9 A 192.0.2.1\n{_START}b A 192.0.2.1\n", [9, 9]),
        ("a 5 A 192.0.2.1\nb IN A 192.0.2.1\nc IN 7 A 192.0.2.1\nd 8 IN A 192.0.2.1\n", [5, 5, 7, 8]),
    ],
)
def test_times_to_live_are_its_own_that_of_the_file_or_the_last_one(text: str, ttls: list[int]) -> None:
    assert [entry.ttl for entry in records(read_master(text, ZONE))] == ttls


def test_priorities_are_apart_and_targets_whole() -> None:
    file = read_master(
        "@ MX 10 mail\n_sip._udp SRV 1 2 5060 sip\n"
        'n NAPTR 100 10 "S" "SIP+D2U" "!a  b!c!" _sip._udp\nh HTTPS 1 . alpn=h2\n',
        ZONE,
    )
    assert [(line.priority, line.value) for line in file.records] == [
        (10, "mail.example.com."),
        (1, "2 5060 sip.example.com."),
        (0, '100 10 "S" "SIP+D2U" "!a  b!c!" _sip._udp.example.com.'),
        (0, '1 . alpn="h2"'),
    ]


def test_names_may_be_in_any_script() -> None:
    text = "bücher CNAME straße\n"
    made = [("xn--bcher-kva", "CNAME", "xn--strae-oqa.xn--bcher-kva.example.")]
    assert entries(text, "xn--bcher-kva.example") == made
    assert entries("bücher.bücher.example. CNAME straße\n", "xn--bcher-kva.example") == made


def test_the_start_of_authority_is_told_apart_and_once() -> None:
    file = read_master(f"{SOA}@ NS ns1\n{SOA}", ZONE)
    assert (file.start, file.serial, len(file.records), file.faults) == (START, 2024010101, 1, ())
    assert faults(SOA + SOA.replace("300", "301")) == [(2, "a zone has one SOA, at its own name")]
    assert faults(f"a {SOA[2:]}") == [(1, "a zone has one SOA, at its own name")]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("@ SOA ns1 h 1 2 3 4", "two names and five numbers"),
        ("@ SOA ns1 h -1 2 3 4 5", "no serial"),
        ("@ SOA ns1 h 4294967296 2 3 4 5", "no serial"),
        ("@ SOA ns1 h 1 x 3 4 5", "four times"),
        ("@ SOA 192.0.2.1. h 1 2 3 4 5", "is an address"),
    ],
)
def test_a_start_of_authority_that_is_none_is_a_fault(line: str, words: str) -> None:
    ((_, reason),) = faults(line)
    assert words in reason


def test_what_is_made_elsewhere_or_is_there_twice_is_left_out_and_said() -> None:
    file = read_master(
        "a A 192.0.2.1\na A 192.0.2.1\na RRSIG A 8 x\n RRSIG A 9 x\na LOC 51 N 0 W 0m\na TYPE999 \\# 0\n",
        ZONE,
    )
    assert [(note.number, note.text) for note in file.left_out] == [
        (3, "2 of type RRSIG"),
        (2, "a A 192.0.2.1"),
        (5, "a LOC 51 N 0 W 0m"),
        (6, "a TYPE999 \\# 0"),
    ]
    assert len(records(file)) == 1


def test_every_fault_is_found_with_its_line_and_the_rest_is_read() -> None:
    wrong = {
        " A 192.0.2.1": "no name is there before it",
        "$INCLUDE /etc/passwd": "other files are not read",
        "$NONSENSE": "there is no $NONSENSE",
        "$ORIGIN": "is one name",
        "$ORIGIN a b": "is one name",
        "$TTL": "is one time",
        "$TTL x": "TTL",
        "$TTL 4294967295": "too long a time",
        "a": "has no type",
        "a 60 IN": "has no type",
        "a CH A 192.0.2.1": "only IN",
        "a NONSENSE 1": "no type of a record",
        "a A 192.0.2": "no value of a record of type A",
        "a A": "no value",
        "a\\.b A 192.0.2.1": "no label",
        "example.org. A 192.0.2.1": "not in the zone",
        "www.example.com A 192.0.2.1": "is a dot missing at the end of 'www.example.com'",
        "a MX mail": "begins with a priority",
        "a MX 65536 mail": "begins with a priority",
        "a MX": "begins with a priority",
        "a CNAME": "a name is",
        'a TXT "x': "never closed",
        "a A 192.0.2.1 )": "never opened",
        "a TXT x\\": "nothing behind it",
        "$GENERATE 1-2": "is no $GENERATE",
        "$GENERATE": "is no $GENERATE",
        "$GENERATE x a A b": "is no $GENERATE",
        "$GENERATE 2-1 a A b": "goes upwards",
        "$GENERATE 1-2/0 a A b": "goes upwards",
        f"$GENERATE 1-{MOST_RECORDS + 1} a$ A 192.0.2.1": "more than",
        "$GENERATE 1-2 a${1,2,z} A 192.0.2.1": "with a base of",
        r'$GENERATE 1-2 a$ TXT "\"$"': "a quotation mark is never closed",
        "$GENERATE 1-2 a${-5} A 192.0.2.1": "below 0",
        f"$GENERATE 1-2 a$ TXT {'x' * 1000}": "at most 1000 characters",
    }
    found = faults("\n".join([*wrong, "good A 192.0.2.1", "a TXT ( x", "b A 192.0.2.1"]))
    assert [number for number, _ in found] == [*range(1, len(wrong) + 1), len(wrong) + 2]
    for (_, reason), words in zip(found, [*wrong.values(), "never closed"], strict=True):
        assert words in reason


def test_an_open_parenthesis_ends_with_the_line_that_is_wrong() -> None:
    assert faults('a TXT ( "x\nb A 192.0.2\n') == [
        (1, "a quotation mark is never closed, or a backslash has nothing behind it"),
        (2, "is no value of a record of type A: Text input is malformed."),
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert [entry.name for entry in records(read_master("\ufeffa A 192.0.2.1\n", ZONE))] == ["a"]


def test_a_file_without_anything_is_no_zone() -> None:
    assert faults("; nothing\n") == [(1, "there is no record in it")]


@pytest.mark.parametrize(
    "text",
    [
        "a A 192.0.2\n" * 200,
        "".join(f"a{n} A 192.0.2.1\n" for n in range(10_050)),
        "$GENERATE 1-10000 a$ RRSIG x\n" * 7,
        "$GENERATE 1-10000 a$ A 192.0.2.1\n$GENERATE 1-10000 b$ A 192.0.2.1\n",
        SOA * (MOST_LINES + 1),
    ],
    ids=["faults", "records", "signatures", "generated", "starts"],
)
def test_reading_ends_when_there_is_too_much(text: str) -> None:
    file = read_master(text, ZONE)
    assert "there is more" in file.faults[-1].reason
    assert len(file.faults) <= MOST_FAULTS + 2
    assert len(file.records) <= MOST_RECORDS + 1


def test_many_records_are_generated() -> None:
    text = "$GENERATE 1-5/2 host-${10,3,x}-$ 60 IN A 192.0.2.$\n$GENERATE 1-1 cost\\$ TXT a\n"
    file = read_master(text, ZONE)
    assert [(line.number, line.entry.name, line.entry.text) for line in file.records] == [
        (1, "host-00b-1", "192.0.2.1"),
        (1, "host-00d-3", "192.0.2.3"),
        (1, "host-00f-5", "192.0.2.5"),
    ]
    assert [note.number for note in file.faults] == [2]


def test_what_comes_after_generated_records_inherits_the_name_before_them() -> None:
    file = read_master("www A 192.0.2.9\n$GENERATE 1-2 h$ A 192.0.2.$\n  TXT after\n", ZONE)
    assert [line.entry.name for line in file.records] == ["www", "h1", "h2", "www"]


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ('"cost $$5"', '"cost" "$5"'),
        ('"cost \\$5"', '"cost" "$5"'),
        (r'"\"cost $\" b"', '"cost 7" "b"'),
        ('"a ; b"', '"a"'),
        ('"a$" "b$"', '"a7" "b7"'),
        ("a$ b$", '"a7" "b7"'),
        ("$$$", '"$7"'),
        ("$$$$", '"$$"'),
        ("$$${0,3,d}", '"$007"'),
        ('"$${1}"', '"${1}"'),
        (r'"\\\\$"', r'"\\\\7"'),
        (r'"\\\$"', r'"\\$"'),
        (r'"\065$"', '"A7"'),
        ("${28,7,n}|${28,1,N}|${28,2,n}", '"3.2.0.0|3.2|3.2"'),
        ("${28,4,n}|${43974,0,N}|${-7,0,n}", '"3.2.|D.C.B.A|0"'),
    ],
)
def test_dollars_are_generated_as_bind_does(word: str, text: str) -> None:
    """As named-compilezone shows it, where it takes it."""
    (line,) = read_master(f"$GENERATE 7-7 a$ TXT {word}\n", ZONE).records
    assert line.entry.text == text


def test_all_of_a_value_may_be_generated_in_quotation_marks() -> None:
    file = read_master('$GENERATE 1-2 a$ 60 IN MX "0$ m$"\n$GENERATE 1-1 b TXT ";"\n', ZONE)
    assert [line.entry.text for line in file.records] == ["1 m1.example.com.", "2 m2.example.com."]
    assert [note.number for note in file.faults] == [2]


LABEL = st.from_regex(re.compile(r"[a-z0-9_]([a-z0-9_-]{0,20}[a-z0-9_])?", re.ASCII), fullmatch=True)
NAME = st.lists(LABEL, min_size=1, max_size=3).map(".".join)
OWNER = st.one_of(st.just("@"), NAME, NAME.map("*.{}".format))
TARGET = NAME.map(lambda name: f"{name.replace('_', 'u')}.example.net.")
TEXT = st.text(st.characters(min_codepoint=32, exclude_categories=("C", "Z")), min_size=1, max_size=600)
NUMBER = st.integers(0, 65535)
VALUES = st.one_of(
    st.tuples(st.just("A"), st.ip_addresses(v=4).map(str)),
    st.tuples(st.just("AAAA"), st.ip_addresses(v=6).filter(lambda a: a.ipv4_mapped is None).map(str)),
    st.tuples(st.sampled_from(["CNAME", "NS", "PTR"]), TARGET),
    st.tuples(st.just("MX"), TARGET),
    st.tuples(st.just("SRV"), st.builds("{} {} {}".format, NUMBER, NUMBER, TARGET)),
    st.tuples(st.just("TXT"), TEXT),
    st.tuples(st.just("TXT"), TEXT.map(lambda text: '"' + re.sub(r'(["\\])', r"\\\1", text) + '" "more"')),
    st.tuples(st.just("CAA"), LABEL.map('0 issue "{}.example"'.format)),
    st.tuples(st.just("DS"), st.binary(min_size=32, max_size=32).map(lambda b: f"1 13 2 {b.hex()}")),
    st.tuples(st.just("TLSA"), st.binary(min_size=32, max_size=32).map(lambda b: f"3 1 1 {b.hex()}")),
    st.tuples(st.just("SSHFP"), st.binary(min_size=32, max_size=32).map(lambda b: f"4 2 {b.hex()}")),
    st.tuples(st.just("NAPTR"), TARGET.map('100 10 "S" "SIP+D2U" "!^.* $!a b!" {}'.format)),
    st.tuples(st.sampled_from(["HTTPS", "SVCB"]), TARGET.map("1 {} alpn=h2 port=853".format)),
)


@st.composite
def written(draw: st.DrawFn) -> Entry:
    record_type, value = draw(VALUES)
    name, ttl = draw(OWNER), draw(st.integers(0, 2**31 - 1))
    priority = draw(NUMBER) if record_type in PRIORITISED else 0
    name = name if record_type == "TXT" else name.replace("_", "u")
    return Entry(name, record_type, ttl, rdata(record_type, value, priority, ZONE))


@given(st.lists(written(), min_size=1, max_size=12, unique_by=lambda e: (e.name, e.type)))
def test_what_is_written_is_read_as_it_was(made: list[Entry]) -> None:
    text = zone_file(ZONE, START, 7, made)
    file = read_master(text, ZONE)
    assert (file.faults, file.left_out, file.start, file.serial) == ((), (), START, 7)
    assert set(records(file)) == set(made)
    assert zone_file(ZONE, START, 7, records(file)) == text
    for line in file.records:
        assert rdata(line.entry.type, line.value, line.priority, ZONE) == line.entry.text
