"""How often a certificate may be asked for, after what had become of it and of others."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.certificates.chains import kept_chain, read_chain
from state.certificates.limits import Limit, Past, anew, bound, by_hand, last_third, left_alone, rested, waits
from tests.state.companies import LAW
from tests.state.vouching import vouch

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def had(*, days: float = 90, ago: timedelta = timedelta(0), **values: Any) -> dict[str, Any]:
    chain = read_chain(vouch("a.example", days=days, since=0).chain)
    return {**kept_chain(chain), "had_at": (NOW - ago).isoformat(), **values}


def failure(code: str = "NameFailed", tries: int = 1, ago: timedelta = timedelta(0)) -> dict[str, Any]:
    at = NOW - ago
    return {"code": code, "tries": tries, "at": at.isoformat(), "retry_at": (at + 2 * HOUR).isoformat()}


@pytest.mark.parametrize(("days", "hours"), [(90, 36), (3, 24), (0.125, 1), (0.01, 1 / 12)])
def test_who_has_one_rests(days: float, hours: int) -> None:
    assert rested(had(days=days)) == NOW + hours * HOUR
    assert rested({}) is None
    assert rested({**had(), "had_at": None}) is None


def test_one_that_was_had_just_now_is_not_had_again_unless_names_are_missing() -> None:
    assert by_hand(had(), NOW) == NOW + HOUR
    assert by_hand(had(ago=HOUR), NOW) is None
    assert by_hand({}, NOW) is None
    assert by_hand({"had_at": NOW.isoformat()}, NOW) is None
    assert by_hand(had(days=0.0625), NOW) == NOW + HOUR / 2
    assert by_hand(had(left_out={"b": failure()}), NOW) is None
    tired = {"b": failure(tries=3), "c": failure(tries=9, ago=MINUTE)}
    assert by_hand(had(left_out=tired), NOW) == NOW + 29 * MINUTE
    assert by_hand(had(left_out=tired, ago=HOUR), NOW) is None


def test_who_asks_has_another_one_unless_the_last_is_quite_new_and_lacks_names() -> None:
    left_out = {"b": failure()}
    assert anew({}, NOW)
    assert anew(had(), NOW)
    assert not anew(had(left_out=left_out), NOW)
    assert anew(had(left_out=left_out, ago=HOUR), NOW)


@pytest.mark.parametrize(
    ("trouble", "wait"),
    [
        (failure(), None),
        (failure(tries=3), 30 * MINUTE),
        (failure(tries=3, ago=HOUR), None),
        ({"code": "NameFailed", "tries": 7, "retry_at": "2030-01-01T00:00:00Z"}, None),
        (failure("RateLimited"), 2 * HOUR),
        (failure("AuthorityLimited"), 2 * HOUR),
        (failure("RateLimited", ago=2 * HOUR), None),
        (failure("NamesLimited", tries=9), None),
        (failure("OwnerLimited", tries=9), None),
    ],
)
def test_who_failed_may_ask_at_once_a_few_times_and_never_who_was_told_to_wait(
    trouble: dict[str, Any], wait: timedelta | None
) -> None:
    assert by_hand({"trouble": trouble}, NOW) == (wait and NOW + wait)


def test_one_that_ends_is_followed_by_the_next_however_many_there_were() -> None:
    one = had(days=9, provider="it")
    end = datetime.fromisoformat(one["valid_until"])
    third = timedelta(days=3)
    assert last_third(one, "it") == end - third
    assert last_third(one, "another") is None
    assert last_third({"provider": "it"}, "it") is None


def _ago(*hours: float) -> tuple[datetime, ...]:
    return tuple(NOW - each * HOUR for each in hours)


def test_for_the_same_names_four_are_had_a_week() -> None:
    week = 7 * 24
    assert bound(Past(), "it", NOW) is None
    assert bound(Past(had=_ago(1, 2, 3)), "it", NOW) is None
    assert bound(Past(had=_ago(1, 2, 3, week)), "it", NOW) is None
    for had_ in (_ago(9, 3, 2, 1), _ago(1, 2, 3, 9), _ago(9, 3, 2, 1, week), _ago(3, 2, 1, 9, 99)):
        found = bound(Past(had=had_), "it", NOW)
        assert found is not None
        assert (found.code, found.until) == ("NamesLimited", NOW + (week - 9) * HOUR)
        assert "from it" in found.message


def test_one_owner_orders_a_hundred_in_three_hours_and_the_longer_bound_counts() -> None:
    many = [1.0] * 99
    assert bound(Past(orders=_ago(*many, 3)), "it", NOW) is None
    found = bound(Past(orders=_ago(2, *many)), "it", NOW)
    assert found is not None
    assert (found.code, found.until) == ("OwnerLimited", NOW + HOUR)
    for had_, code in ((_ago(1, 1, 1, 1), "NamesLimited"), (_ago(167.5, 1, 1, 1), "OwnerLimited")):
        found = bound(Past(had_, _ago(2, *many)), "it", NOW)
        assert found is not None
        assert found.code == code


def test_a_name_that_is_not_believed_is_put_to_an_authority_four_times_an_hour() -> None:
    assert bound(Past(failures=_ago(0.1, 0.2, 0.3, 1)), "it", NOW) is None
    found = bound(Past(failures=_ago(0.1, 0.2, 0.3, 0.5)), "it", NOW)
    assert found is not None
    assert (found.code, found.until) == ("FailuresLimited", NOW + HOUR / 2)


@LAW
@given(st.lists(st.timedeltas(timedelta(0), 3 * HOUR), max_size=130))
def test_when_it_has_come_one_may_order_again(ages: list[timedelta]) -> None:
    past = Past(orders=tuple(NOW - age for age in ages))
    found = bound(past, "it", NOW)
    assert found is None or (found.until > NOW and bound(past, "it", found.until) is None)


def test_who_corrects_what_is_asked_for_waits_as_who_asks_by_hand() -> None:
    asked, other = ("it", "http01"), ("another", "http01")
    way = ("it", "dns01")
    failed = {**failure(), "of": list(asked)}
    assert waits(failed, asked) == NOW + 2 * HOUR
    assert waits(failure(), other) == NOW + 2 * HOUR
    assert waits(failed, other) <= NOW
    assert waits({**failed, "tries": 3}, way) == NOW + HOUR / 2
    assert waits({**failed, "tries": 3, "retry_at": NOW.isoformat()}, way) == NOW
    limited = {**failed, "code": "RateLimited"}
    assert (waits(limited, other) <= NOW, waits(limited, way)) == (True, NOW + 2 * HOUR)
    assert by_hand({"trouble": limited}, NOW, other) is None
    assert by_hand({"trouble": limited}, NOW, way) == NOW + 2 * HOUR
    assert by_hand({"trouble": {**limited, "code": "AuthorityLimited"}}, NOW) == NOW + 2 * HOUR


def _limit(owner: str, ago: timedelta = timedelta(0), wait: timedelta = 2 * HOUR) -> Limit:
    return Limit(owner, NOW - ago, NOW - ago + wait)


def test_an_authority_that_refused_several_is_left_alone_and_one_of_somebody_elses_is_none() -> None:
    anna, bert = _limit("anna"), _limit("bert", MINUTE)
    assert left_alone([], "anna", NOW) is None
    assert left_alone([anna], "anna", NOW) is None
    assert left_alone([bert, bert], "anna", NOW) is None
    assert left_alone([anna, bert], "zoe", NOW) == NOW + 15 * MINUTE
    assert left_alone([bert, bert], "bert", NOW) == NOW + 14 * MINUTE
    assert left_alone([anna, _limit("bert", wait=MINUTE)], "zoe", NOW + 2 * MINUTE) is None


@LAW
@given(
    st.lists(
        st.builds(
            _limit, st.sampled_from("abc"), st.timedeltas(timedelta(0), HOUR), st.timedeltas(MINUTE, HOUR)
        )
    )
)
def test_nobody_keeps_others_waiting_for_longer_than_a_quarter_of_an_hour(found: list[Limit]) -> None:
    until = left_alone(found, "a", NOW)
    assert until is None or NOW < until <= NOW + 15 * MINUTE
