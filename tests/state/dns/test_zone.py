"""Zones: what may stand beside what, what is left out and why, and what is published."""

from datetime import date

import pytest

from state.dns.authority import Start, address_of, mailbox
from state.dns.zone import Entry, beside, of_template, publish, sort_out

ZONE = "example.com"
START = Start("ns1.example.com.", "hostmaster.example.com.", 3600, 1800, 1209600, 300)
NS = Entry("@", "NS", 3600, "ns.example.net.")


def entry(name: str, kind: str, text: str, uid: str = "", ttl: int = 3600) -> Entry:
    return Entry(name, kind, ttl, text, uid or f"{name}-{kind}")


def codes(*entries: Entry) -> dict[str, str]:
    return {uid: reason.code for uid, reason in sort_out([NS, *entries], ZONE)[1].items()}


def test_a_cname_is_alone_and_never_at_the_zone_s_own_name() -> None:
    address = entry("www", "A", "192.0.2.1")
    assert codes(entry("www", "CNAME", "a.")) == {}
    assert codes(entry("www", "CNAME", "a."), address) == {"www-CNAME": "NotAlone"}
    assert codes(entry("@", "CNAME", "a.")) == {"@-CNAME": "NotAlone"}


def test_no_mail_is_said_alone() -> None:
    nobody, somebody = entry("@", "MX", "0 .", "nobody"), entry("@", "MX", "10 a.", "somebody")
    assert codes(nobody) == codes(somebody, entry("@", "A", "192.0.2.1")) == {}
    assert codes(nobody, somebody) == {"nobody": "NotAlone"}


def test_of_the_same_record_one_is_served() -> None:
    one, other = (entry("www", "A", "192.0.2.1", uid) for uid in "ab")
    assert codes(one, other) == {"b": "Duplicate"}


def test_what_belongs_elsewhere_is_left_out() -> None:
    assert codes(entry("@", "DS", "1 2 3 ab")) == {"@-DS": "Misplaced"}
    assert codes(entry("*", "NS", "ns.example.net.")) == {"*-NS": "Misplaced"}


def test_a_name_server_inside_needs_an_address() -> None:
    server = entry("@", "NS", "ns1.example.com.")
    assert codes(server) == {"@-NS": "GlueMissing"}
    assert codes(server, entry("ns1", "AAAA", "2001:db8::1")) == {}
    assert codes(server, entry("*", "A", "192.0.2.1")) == {}
    assert codes(server, entry("*", "A", "192.0.2.1"), entry("ns1", "TXT", '"x"')) == {"@-NS": "GlueMissing"}
    assert codes(entry("sub", "NS", "a.sub.example.com."), entry("*", "A", "192.0.2.1")) == {
        "sub-NS": "GlueMissing"
    }
    assert codes(entry("sub", "NS", "a.sub.example.com.")) == {"sub-NS": "GlueMissing"}
    assert codes(entry("sub", "NS", "a.sub.example.com."), entry("a.sub", "A", "192.0.2.1")) == {}
    assert codes(entry("sub", "NS", "example.com.")) == {"sub-NS": "GlueMissing"}
    assert codes(entry("sub", "NS", "a.example.com.example.com.")) == {"sub-NS": "GlueMissing"}


def test_what_one_writes_takes_the_place_of_the_template_s() -> None:
    template = [
        entry("@", "A", "192.0.2.1"),
        entry("www", "A", "192.0.2.1"),
        entry("ftp", "CNAME", "www.example.com."),
    ]
    mine = [
        entry("@", "A", "198.51.100.1", "x"),
        entry("www", "CNAME", "y.", "y"),
        entry("ftp", "TXT", '"z"', "z"),
    ]
    assert beside(mine, template) == mine
    assert beside([], template) == template
    assert beside([entry("@", "TXT", '"z"')], template)[1:] == template


def test_a_template_s_lines_are_records() -> None:
    text = "; a remark\n\n@ NS ns.example.net.\n@ NS ns.example.net.\n@ MX 10 mail\n_dmarc TXT v=DMARC1; p=none\n"
    made = [(each.name, each.type, each.text) for each in of_template(text, ZONE, 300)]
    assert made == [
        ("@", "NS", "ns.example.net."),
        ("@", "MX", "10 mail.example.com."),
        ("_dmarc", "TXT", '"v=DMARC1; p=none"'),
    ]


def test_a_template_s_lines_may_be_laid_out() -> None:
    text = "  ; a remark\n\t; another\n@\tMX\t10\tmail\n  @   mx  20   mail2\n@ a 192.0.2.1\n@ txt a \t b\n"
    with pytest.raises(ValueError, match="control characters"):
        of_template(text, ZONE, 300)
    made = of_template(text.replace("a \t b", "a  b"), ZONE, 300)
    assert [(each.type, each.text) for each in made] == [
        ("MX", "10 mail.example.com."),
        ("MX", "20 mail2.example.com."),
        ("A", "192.0.2.1"),
        ("TXT", '"a  b"'),
    ]


@pytest.mark.parametrize("line", ["@ SOA a b", "@ A", "@ MX mail", "@ MX 10", "@ A x"])
def test_a_template_that_is_wrong_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="the template's line '@"):
        of_template(line, ZONE, 300)


def test_an_unchanged_zone_has_an_unchanged_serial() -> None:
    first = publish(ZONE, START, [NS], {}, date(2024, 1, 1))
    kept = {"serial": first.serial, "body": first.body}
    again = publish(ZONE, START, [NS], kept, date(2024, 5, 1))
    assert again == first
    changed = publish(ZONE, START, [NS, entry("www", "A", "192.0.2.1")], kept, date(2024, 1, 1))
    assert (first.serial, changed.serial) == (2024010101, 2024010102)
    assert " 2024010102 3600 1800 1209600 300" in changed.text


def test_the_text_does_not_depend_on_the_order_and_a_set_has_one_ttl() -> None:
    one, other = entry("www", "A", "192.0.2.1", ttl=60), entry("www", "A", "192.0.2.2")
    texts = {publish(ZONE, START, each, {}, date.min).text for each in ([NS, one, other], [other, one, NS])}
    assert len(texts) == 1
    assert texts.pop().count("www 60 IN A") == 2


def test_an_address_as_a_name() -> None:
    assert mailbox("first.last@example.com") == "first\\.last.example.com."


@pytest.mark.parametrize(
    "address", ["hostmaster@example.com", "first.last@example.com", "a+b@mail.example.com"]
)
def test_and_the_name_as_the_address(address: str) -> None:
    assert address_of(mailbox(address)) == address


@pytest.mark.parametrize("name", [".", "example."])
def test_a_name_that_is_no_address(name: str) -> None:
    with pytest.raises(ValueError, match="no e-mail address"):
        address_of(name)
