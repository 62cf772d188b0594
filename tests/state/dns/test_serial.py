"""Serials only grow, for ever, whatever the clock says."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from state.dns.serial import next_serial

DAY = date(2024, 1, 1)


def test_the_first_one_shows_the_day() -> None:
    assert next_serial(0, DAY) == 2024010101


def test_another_day_is_another_number_and_the_same_day_the_next_one() -> None:
    assert next_serial(2024010101, DAY) == 2024010102
    assert next_serial(2024010102, date(2024, 1, 2)) == 2024010201


def test_after_99_changes_it_goes_on_and_meets_the_day_again() -> None:
    assert next_serial(2024010199, DAY) == 2024010200
    assert next_serial(2024010200, date(2024, 1, 2)) == 2024010201
    assert next_serial(2024010205, date(2024, 1, 2)) == 2024010206


def test_a_clock_that_went_back_takes_nothing_back() -> None:
    assert next_serial(2024010101, date(2023, 6, 1)) == 2024010102


def test_a_serial_that_is_far_ahead_wraps() -> None:
    assert next_serial(2**32 - 1, DAY) == 2024010101
    assert next_serial(2**32 - 1, date(1970, 1, 1)) == 1970010101
    assert next_serial(2024010101 + 2**31, DAY) == 2024010101 + 2**31 + 1


def test_none_is_ever_0_which_means_none() -> None:
    assert next_serial(2**32 - 1, date(4294, 1, 1)) != 0


@given(st.integers(1, 2**32 - 1), st.lists(st.dates(date(1990, 1, 1), date(4200, 1, 1)), max_size=20))
def test_it_is_larger_than_the_one_before_in_the_arithmetic_of_rfc_1982(first: int, days: list[date]) -> None:
    serial = first
    for day in days:
        following = next_serial(serial, day)
        assert 0 < following < 2**32
        assert 0 < (following - serial) % 2**32 < 2**31
        serial = following
