"""Answers to dns-01: where they are looked for, what is in their way, and how they stand beside what was written."""

import pytest

from state.dns.challenges import answering, challenge_name, obstacle
from state.dns.sizes import MOST_OF_A_TYPE
from state.dns.zone import Entry, sort_out

TITLE = "_acme-challenge"


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("example.com", TITLE),
        ("*.example.com", TITLE),
        ("www.example.com", f"{TITLE}.www"),
        ("*.a.b.example.com", f"{TITLE}.a.b"),
    ],
)
def test_a_name_is_answered_for_right_above_itself(name: str, where: str) -> None:
    assert challenge_name(name, "example.com") == where


def test_a_name_that_leaves_no_room_cannot_be_answered_for() -> None:
    with pytest.raises(ValueError, match="too long"):
        challenge_name(".".join(["a" * 60] * 4) + ".com", "com")


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ((f"{TITLE}.www", "CNAME", "x.example.net."), "leads to x.example.net."),
        (("www", "NS", "ns.example.net."), "www is served by ns.example.net."),
        ((f"{TITLE}.www", "NS", "ns.example.net."), "is served by"),
    ],
)
def test_what_leads_elsewhere_is_in_the_way(record: tuple[str, str, str], words: str) -> None:
    reason = obstacle(f"{TITLE}.www", [("@", "A", "192.0.2.1"), record])
    assert reason is not None
    assert reason.code == "ChallengeDelegated"
    assert words in reason.message


@pytest.mark.parametrize(
    "record",
    [
        ("www", "CNAME", "x.example.net."),
        ("@", "NS", "ns.example.net."),
        ("*", "CNAME", "x.example.net."),
        (TITLE, "CNAME", "x.example.net."),
        (f"{TITLE}.www", "TXT", "mine"),
    ],
)
def test_what_is_at_other_names_is_not(record: tuple[str, str, str]) -> None:
    assert obstacle(f"{TITLE}.www", [record]) is None


def test_answers_stand_beside_what_was_written_each_once_and_never_beside_a_name_that_leads_away() -> None:
    written = [Entry("@", "NS", 3600, "ns.example.net."), Entry(TITLE, "TXT", 300, '"mine"', "uid")]
    given = [(TITLE, "one"), (TITLE, "two"), (TITLE, "mine")]
    assert [e.text for e in answering(written, given, wild=False)[2:]] == ['"one"', '"two"']
    led = [*written, Entry(f"{TITLE}.www", "CNAME", 300, "x.example.net.", "uid")]
    assert answering(led, [(f"{TITLE}.www", "one")], wild=False) == led
    assert answering(written, (), wild=False) == written


def test_an_answer_for_which_there_is_no_room_is_not_given() -> None:
    written = [Entry("_acme-challenge", "TXT", 60, f'"{n}"') for n in range(MOST_OF_A_TYPE)]
    assert answering(written, [("_acme-challenge", "a")], wild=False) == written
    assert len(answering(written[1:], [("_acme-challenge", "a")], wild=False)) == MOST_OF_A_TYPE


def test_what_a_wildcard_says_of_a_name_is_said_of_it_while_there_is_an_answer_below() -> None:
    written = [
        Entry("@", "NS", 3600, "ns1.example.com."),
        Entry("*", "A", 300, "192.0.2.1", "uid"),
        Entry("*.dev", "CNAME", 300, "x.example.net."),
        Entry("www", "TXT", 300, '"x"'),
    ]

    def said(*names: str) -> list[str]:
        found = answering(written, [(name, "one") for name in names], wild=True)
        assert found[: len(written) + len(names)] == answering(
            written, [(name, "one") for name in names], wild=False
        )
        return [f"{e.name} {e.type}" for e in found[len(written) + len(names) :]]

    assert said(f"{TITLE}.ns1") == ["ns1 A", "*.ns1 A"]
    assert said(f"{TITLE}.a.b") == ["a.b A", "*.a.b A", "b A", "*.b A"]
    assert said(f"{TITLE}.a.dev") == ["a.dev CNAME", "*.a.dev CNAME"]
    assert said(TITLE, f"{TITLE}.www", f"{TITLE}.dev") == []
    assert said(f"{TITLE}.a.www") == []
    del written[1:3]
    assert said(f"{TITLE}.ns1") == []


def test_no_answer_takes_its_address_from_a_name_server() -> None:
    written = [Entry("@", "NS", 3600, "ns1.example.com."), Entry("*", "A", 300, "192.0.2.1", "uid")]
    hidden, whole = (answering(written, [(f"{TITLE}.ns1", "one")], wild=wild) for wild in (False, True))
    assert [reason.code for reason in sort_out(hidden, "example.com")[1].values()] == ["GlueMissing"]
    assert sort_out(whole, "example.com") == (whole, {})
