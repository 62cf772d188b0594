"""What records say: right by RFC, written one way, and nothing that means something else."""

import dns.rdata
import dns.zone
import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.dns.authority import Start
from state.dns.values import TYPES, has_remark, rdata, target_of
from state.dns.zone import Entry, zone_file
from tests.state.companies import LAW, RECORDS

ZONE = "example.com"
RIGHT = {
    "A": ("192.0.2.1", "192.0.2.1"),
    "AAAA": ("2001:DB8::0:1", "2001:db8::1"),
    "CNAME": ("example.com", "example.com."),
    "MX": ("mail", "10 mail.example.com."),
    "TXT": ('say "hi"', '"say \\"hi\\""'),
    "NS": ("ns1.example.net.", "ns1.example.net."),
    "SRV": ("5 5060 sip", "10 5 5060 sip.example.com."),
    "CAA": ('0 issue "ca.example; a=b"', '0 issue "ca.example; a=b"'),
    "PTR": ("host.example.net", "host.example.net."),
    "TLSA": ("3 1 1 " + "AB" * 32, "3 1 1 " + "ab" * 32),
    "DS": (
        "60485 5 1 2BB183AF5F22588179A53B0A98631FAD1A292118",
        "60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118",
    ),
    "SSHFP": ("2 1 123456789abcdef67890123456789abcdef67890", "2 1 123456789abcdef67890123456789abcdef67890"),
    "NAPTR": ('100 10 S SIP+D2U "" sip', '100 10 "S" "SIP+D2U" "" sip.example.com.'),
    "HTTPS": ("1 . alpn=h2,h3", '1 . alpn="h2,h3"'),
    "SVCB": ("1 dns.example.net. port=853", '1 dns.example.net. port="853"'),
}


@pytest.mark.parametrize("kind", TYPES)
def test_a_right_value_has_one_form(kind: str) -> None:
    value, text = RIGHT[kind]
    assert rdata(kind, value, 10 if kind in {"MX", "SRV"} else 0, ZONE) == text


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("A", "192.0.2.256"),
        ("A", "2001:db8::1"),
        ("A", "192.0.2.1 192.0.2.2"),
        ("A", "192.0.2.1\n@ NS evil.example."),
        ("AAAA", "192.0.2.1"),
        ("CNAME", "192.0.2.1"),
        ("CNAME", "a b"),
        ("MX", "10 mail.example.com."),
        ("MX", "192.0.2.1"),
        ("SRV", "5060 sip"),
        ("SRV", "5 99999 sip"),
        ("TXT", "a\nb"),
        ("TXT", '"a" "b\\"'),
        ("CAA", "issue ca.example"),
        ("TLSA", "3 1 1 xyz"),
        ("TLSA", "3 1 1 abcd"),
        ("DS", "1 2 3"),
        ("SSHFP", "1 1 zz"),
        ("NAPTR", "100 10 S"),
        ("HTTPS", "1"),
        ("SVCB", "one . alpn=h2"),
        ("NS", "$INCLUDE /etc/passwd"),
    ],
)
def test_a_wrong_value_is_refused_with_a_reason(kind: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"\w{4}"):
        rdata(kind, value, 0, ZONE)


def test_only_some_have_a_priority() -> None:
    with pytest.raises(ValueError, match="has no priority"):
        rdata("A", "192.0.2.1", 10, ZONE)


def test_a_text_of_any_length_is_cut_into_strings() -> None:
    text = rdata("TXT", "x" * 600, 0, ZONE)
    assert text == " ".join(f'"{"x" * length}"' for length in (255, 255, 90))
    assert rdata("TXT", '"a" "b"', 0, ZONE) == '"a" "b"'
    assert rdata("TXT", f'"{"y" * 300}"', 0, ZONE) == f'"{"y" * 255}" "{"y" * 45}"'
    assert rdata("TXT", '"', 0, ZONE) == '"\\""'
    assert rdata("TXT", '""', 0, ZONE) == '""'
    with pytest.raises(ValueError, match="too long"):
        rdata("TXT", "ä" * 40000, 0, ZONE)


def test_where_a_value_leads() -> None:
    assert target_of("NS", "ns1.example.net.") == "ns1.example.net."
    assert target_of("MX", "10 mail.example.net.") == "mail.example.net."
    assert target_of("TXT", '"a"') == ""


@LAW
@given(st.data(), st.sampled_from(sorted(RECORDS)))
def test_what_is_written_is_read_by_another_as_the_same(data: st.DataObject, kind: str) -> None:
    value = data.draw(RECORDS[kind])
    text = rdata(kind, value, 0, ZONE)
    assert "\n" not in text
    start = Start("ns.example.net.", "a.example.net.", 3600, 600, 86400, 300)
    name = "x" if kind != "CNAME" else "y"
    content = zone_file(
        ZONE, start, 1, [Entry("@", "NS", 60, "ns.example.net."), Entry(name, kind, 60, text)]
    )
    zone = dns.zone.from_text(content, origin=ZONE, relativize=False)
    found = zone.find_rdataset(f"{name}.{ZONE}.", kind)
    assert [each.to_text() for each in found] == [text]


@pytest.mark.parametrize(
    ("kind", "value", "lost"),
    [
        ("TXT", '"a" ; "b"', True),
        ("TXT", '"a;" "b"', False),
        ("TXT", "a ; b", False),
        ("TXT", '"a', False),
        ("TXT", '"a" "b', False),
        ("TXT", '"a" "b\\"', False),
        ("A", "192.0.2.1 ; the web server", True),
        ("CAA", "0 issue ca.example;a=b", True),
        ("CAA", '0 issue "ca.example;a=b"', False),
    ],
)
def test_what_would_be_a_remark_is_known(kind: str, value: str, lost: bool) -> None:
    assert has_remark(kind, value) is lost
