"""How a zone stands with its signatures: it loses them when that harms nobody, and its serial only grows."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.dns.keys import delegation, dnskey, known_key, make_key
from state.dns.serial import later, next_serial
from state.dns.signing import (
    ABOVE,
    OUT,
    RELEASED,
    Seen,
    after_look,
    key_now,
    leaves,
    mark,
    remembered,
    serial_of,
    told,
    warning,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOLD = timedelta(hours=1)
KEPT, _ = make_key(NOON)
KEY = known_key(KEPT)
assert KEY
SIGNED: dict[str, Any] = {**KEPT, "serial": 5, **remembered("zoe.test", KEY, {}, wanted=True)}
DS = delegation("zoe.test", KEY)


def look(
    kept: dict[str, Any], seen: Seen, minutes: int = 0, serial: int | None = 9, **more: bool
) -> dict[str, Any]:
    """What is known of a zone after another look."""
    given = {"forced": False, **more}
    return {**kept, **after_look(kept, seen, serial, NOON + timedelta(minutes=minutes), HOLD, **given)}


def test_a_zone_is_signed_from_when_that_is_wanted_until_its_signatures_may_go() -> None:
    assert key_now(True, KEPT) == key_now(False, SIGNED) == KEY
    assert key_now(True, {}) is key_now(False, KEPT) is None
    assert not leaves(True, SIGNED)
    released = {**SIGNED, RELEASED: {"serial": 9}}
    assert key_now(False, released) is None
    assert key_now(True, released) == KEY


def test_what_is_told_of_a_key_is_remembered_as_long_as_the_zone_is_signed() -> None:
    assert SIGNED["ds_records"] == [DS]
    assert SIGNED["dnskey_records"] == [dnskey(KEY)]
    seen = look(SIGNED, Seen((DS,), 60))
    assert remembered("zoe.test", KEY, seen, wanted=False)[ABOVE] == seen[ABOVE]
    assert remembered("zoe.test", KEY, seen, wanted=True)[ABOVE] is None
    assert set(remembered("zoe.test", None, seen, wanted=False).values()) == {None}
    assert (told(None), mark(None)) == (None, ())
    reason = told(KEY)
    assert reason
    assert str(KEY.tag) in reason.message
    assert str(KEY.tag) in mark(KEY)[0]


def test_a_ds_that_is_published_keeps_a_zone_signed_for_ever() -> None:
    kept = SIGNED
    for minutes in (0, 60, 60 * 24 * 365):
        kept = look(kept, Seen((DS,), 60), minutes)
        assert leaves(False, kept)
        assert warning(kept).code == "DsPublished"
        assert DS in warning(kept).message


def test_one_that_is_gone_keeps_it_as_long_as_others_may_know_it() -> None:
    kept = look(SIGNED, Seen((), 0))
    assert warning(kept).code == "DsKept"
    assert "2026-03-01T13:00:00Z" in warning(kept).message
    assert leaves(False, look(kept, Seen(), 59))
    assert look(kept, Seen(), 60)[RELEASED] == {"serial": 9}
    longer = look(look(SIGNED, Seen((DS,), 7200)), Seen(), 0)
    assert leaves(False, look(longer, Seen(), 119))
    assert not leaves(False, look(longer, Seen(), 120))
    back = look(look(kept, Seen((DS,), 60), 30), Seen(), 40)
    assert leaves(False, look(back, Seen(), 99))
    assert not leaves(False, look(back, Seen(), 100))


def test_what_is_not_known_keeps_it_too() -> None:
    assert warning(SIGNED).code == "DsNotLookedUp"
    unknown = look(SIGNED, Seen(unknown="Timeout"), 600)
    assert warning(unknown).code == "DsUnknown"
    assert "Timeout" in warning(unknown).message
    kept = look(look(SIGNED, Seen()), Seen(unknown="Timeout"), 600)
    assert leaves(False, kept)
    assert not leaves(False, look(kept, Seen(), 600))
    silent = look(look(SIGNED, Seen()), Seen(), 60, serial=None)
    assert warning(silent).code == "SerialUnknown"
    assert leaves(False, silent)
    assert not leaves(False, look(silent, Seen(), 61))


@pytest.mark.parametrize("seen", [Seen((DS,), 60), Seen(), Seen(unknown="Timeout")])
@pytest.mark.parametrize("serial", [9, None])
def test_who_insists_has_it_unsigned_at_once(seen: Seen, serial: int | None) -> None:
    assert look(SIGNED, seen, serial=serial, forced=True)[RELEASED] == {"serial": serial or 0}


@given(st.integers(1, 2**32 - 1), st.integers(0, 2**31 - 1), st.dates(date(2020, 1, 1), date(2100, 1, 1)))
def test_the_serial_without_signatures_comes_after_the_last_one_with_them(
    serial: int, steps: int, day: date
) -> None:
    served = (serial + steps) % 2**32 or 1
    kept = {"serial": serial, RELEASED: {"serial": served}}
    after = next_serial(serial_of(kept), day)
    assert 0 < (after - served) % 2**32 < 2**31
    assert serial_of({"serial": serial, OUT: served}) == served
    assert serial_of({"serial": served, OUT: serial}) == served
    assert serial_of({"serial": serial}) == later(serial, 0) == later(0, serial) == serial
