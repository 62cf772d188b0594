"""What is made of answers of an authority: how long it asks to wait, and which names it does not believe."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from reconciler.certificates.answers import Failed
from reconciler.certificates.decisions import LONGEST, asked_to_wait, without

NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("120", timedelta(minutes=2)),
        ("99999999999999999", LONGEST),
        ("9" * 5000, None),
        (format_datetime(NOW.replace(microsecond=0) + timedelta(hours=1)), timedelta(hours=1)),
        (format_datetime(NOW.replace(microsecond=0) - timedelta(hours=1)), timedelta(0)),
        ("Fri, 31 Dec 9999 23:59:59 -0000", None),
    ],
    ids=[
        "none",
        "empty",
        "a word",
        "below nothing",
        "seconds",
        "ages",
        "digits",
        "a date",
        "a past date",
        "no zone",
    ],
)
def test_what_an_authority_asks_to_wait(header: str | None, wait: timedelta | None) -> None:
    assert asked_to_wait(header, NOW.replace(microsecond=0)) == wait


def test_bad_names_are_left_out_unless_the_first_is_among_them_or_none_is_named() -> None:
    names = ("a.example", "b.example", "c.example")
    assert without(names, {"b.example": "no address"}, ["a.example"]) == ("a.example", "c.example")
    with pytest.raises(Failed, match=r"b\.example: no address"):
        without(names, {"b.example": "no address"}, ["a.example", "b.example"])
    with pytest.raises(Failed, match=r"a\.example: no address"):
        without(names, {"a.example": "no address"}, ["a.example"])
    with pytest.raises(Failed, match="does not say"):
        without(names, {}, ["a.example"])
    with pytest.raises(Failed, match=r"x\.example: what"):
        without(names, {"x.example": "what"}, ["a.example"])
