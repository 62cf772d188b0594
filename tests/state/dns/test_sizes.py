"""How much fits at one name."""

import pytest

from state.dns.sizes import MOST_OF_A_TYPE, oversized
from state.dns.values import rdata
from state.dns.zone import Entry, sort_out

NS = Entry("@", "NS", 60, "ns1.example.net.")


def text(size: int, of: str = "x") -> str:
    return rdata("TXT", of * size, 0, "example.com")


@pytest.mark.parametrize(
    ("texts", "over"),
    [
        ([text(59_000)], False),
        ([text(60_000)], True),
        ([text(29_000), text(29_000, "y")], False),
        ([text(30_000), text(30_000, "y")], True),
        ([text(10_000, "é")], False),
        ([text(29_000, "é")], False),
    ],
)
def test_a_set_is_as_large_as_its_bytes(texts: list[str], over: bool) -> None:
    assert oversized("TXT", texts) is over


def test_what_has_no_room_is_left_out_and_the_rest_is_served() -> None:
    one, other = (Entry("www", "TXT", 60, text(40_000, each), each) for each in "xy")
    third = Entry("www", "TXT", 60, text(10, "z"), "z")
    kept, wrong = sort_out([NS, one, third, other], "example.com")
    assert kept == [NS, one, third]
    assert {uid: reason.code for uid, reason in wrong.items()} == {"y": "TooMuch"}


def test_what_is_no_record_is_as_large_as_it_reads() -> None:
    assert oversized("A", ["x" * 70_000])


def test_short_addresses_are_as_large_as_long_ones() -> None:
    def hints(number: int) -> list[str]:
        return [rdata("HTTPS", f"1 . ipv6hint={','.join(['::1'] * number)}", 0, "example.com")]

    assert [oversized("HTTPS", hints(number)) for number in (100, 3_700, 4_000, 14_000)] == [
        False,
        False,
        True,
        True,
    ]


def test_many_addresses_have_room() -> None:
    many = [f"10.0.0.{n}" for n in range(MOST_OF_A_TYPE + 1)]
    assert not oversized("A", many[1:])
    assert oversized("A", many)
    entries = [Entry("www", "A", 60, each, each) for each in many]
    kept, wrong = sort_out([NS, *entries], "example.com")
    assert kept == [NS, *entries[:-1]]
    assert {uid: reason.code for uid, reason in wrong.items()} == {many[-1]: "TooMuch"}
