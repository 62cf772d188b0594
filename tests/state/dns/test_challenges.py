"""Answers to dns-01: where they are looked for, what is in their way, and how they stand beside what was written."""

import pytest

from state.dns.challenges import answering, challenge_name, obstacle
from state.dns.sizes import MOST_OF_A_TYPE
from state.dns.zone import Entry

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
    assert [e.text for e in answering(written, given)[2:]] == ['"one"', '"two"']
    led = [*written, Entry(f"{TITLE}.www", "CNAME", 300, "x.example.net.", "uid")]
    assert answering(led, [(f"{TITLE}.www", "one")]) == led
    assert answering(written, ()) == written


def test_an_answer_for_which_there_is_no_room_is_not_given() -> None:
    written = [Entry("_acme-challenge", "TXT", 60, f'"{n}"') for n in range(MOST_OF_A_TYPE)]
    assert answering(written, [("_acme-challenge", "a")]) == written
    assert len(answering(written[1:], [("_acme-challenge", "a")])) == MOST_OF_A_TYPE
