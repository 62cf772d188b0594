"""Records for which BIND would refuse the whole zone are refused one by one; a lab host says which these are."""

from itertools import islice
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.dns.fitness import PARTICULAR, misplaced, no_mail
from state.dns.values import TYPES, rdata
from state.dns.zone import Entry, sort_out
from tests.state.dns.odd import odd
from tests.state.dns.rules import LOADED, REFUSED

ZONE = "example.com"
NAMES = ["@", "*", "*.a", "_dns", "_5._dns.a"]
NS = Entry("@", "NS", 60, "ns1.example.net.")
Rule = tuple[str, str, str, int]


def judged(rule: Rule) -> str:
    """Why a record is refused; empty when it is not."""
    name, record_type, value, priority = rule
    try:
        return misplaced(name, record_type, rdata(record_type, value, priority, ZONE))
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize("rule", LOADED, ids=str)
def test_what_is_loaded_is_taken(rule: Rule) -> None:
    assert judged(rule) == ""


@pytest.mark.parametrize("rule", REFUSED, ids=str)
def test_what_would_harm_its_zone_is_refused(rule: Rule) -> None:
    assert judged(rule)


@given(
    st.sampled_from(sorted({*TYPES} - PARTICULAR)),
    st.sampled_from(["@", "*", "*.a", "_dns", "_5._dns.a"]),
    st.text(),
)
def test_of_most_types_nothing_is_particular(record_type: str, name: str, text: str) -> None:
    assert misplaced(name, record_type, text) == ""
    assert not no_mail(record_type, text)


def test_a_ds_stands_where_the_zone_is_delegated() -> None:
    ds = Entry("sub", "DS", 60, "1 13 2 " + "ab" * 32, "ds")
    assert sort_out([NS, ds], ZONE)[1]["ds"].code == "NotDelegated"
    assert sort_out([NS, ds, Entry("sub", "NS", 60, "ns.example.net.", "ns")], ZONE)[1] == {}
    wrong = sort_out([NS, ds, Entry("sub", "NS", 60, "ns.sub.example.com.", "ns")], ZONE)[1]
    assert {uid: reason.code for uid, reason in wrong.items()} == {"ns": "GlueMissing", "ds": "NotDelegated"}


def test_what_stands_wrong_is_left_out() -> None:
    wrong = sort_out(
        [NS, Entry("_dns", "SVCB", 60, "1 . port=5", "a"), Entry("@", "CNAME", 60, "a.", "c")], ZONE
    )[1]
    assert {uid: reason.code for uid, reason in wrong.items()} == {"a": "Misplaced", "c": "NotAlone"}


def test_what_servers_may_not_know_by_name_is_written_by_number() -> None:
    for value, text in (
        ("1 . ohttp alpn=h2", '1 . alpn="h2" key8'),
        ("1 . mandatory=ohttp,alpn ohttp alpn=h2", '1 . mandatory="alpn,key8" alpn="h2" key8'),
        ("1 . docpath=a,b", r'1 . key10="\001\097\001\098"'),
        ("1 . key65280=x", '1 . key65280="x"'),
    ):
        assert rdata("HTTPS", value, 0, ZONE) == text
        assert rdata("HTTPS", text, 0, ZONE) == text


def test_something_odd_is_taken_of_every_type() -> None:
    assert {record_type for _, record_type, _ in islice(odd(Random(1)), 500)} == set(TYPES)
