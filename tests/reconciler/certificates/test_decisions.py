"""When a certificate is needed, tried again and renewed, and what is remembered of that."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from hypothesis import given
from hypothesis import strategies as st

from reconciler.certificates.answers import Failed, Issued, Suggestion
from reconciler.certificates.decisions import (
    LONGEST,
    PAUSES,
    enough,
    held,
    lost_until,
    needed,
    not_told,
    renewal,
    settled,
    settled_without,
    suggested,
    suggestion_due,
    troubled,
    unchanged,
    wanted,
)
from reconciler.certificates.losses import indispensable
from state.certificates.chains import known_chain
from state.compiling import Related
from state.document import Document
from tests.state.companies import LAW, buried, company, document, site, with_material
from tests.state.vouching import Vouched, vouch

NOW = datetime.now(UTC)
NOBODY: Related = {}.get  # type: ignore[assignment]
MINE_KEY = generate_private_key(SECP256R1())
MINE = vouch("example.com", "www.example.com", days=60, since=30, key=MINE_KEY)


def certificate(**values: Any) -> Document:
    return document("Certificate", "example.com", "anna", **values)


def _left(problems: dict[str, str]) -> dict[str, Failed]:
    return {name: Failed("NameFailed", why) for name, why in problems.items()}


def had(given: Vouched = MINE, left_out: dict[str, str] | None = None, **values: Any) -> Document:
    """A certificate that an authority gave."""
    one = certificate(**{"san_domains": ["www.example.com"], **values})
    issued = Issued(given.chain, given.key, _left(left_out or {}))
    kept = {name: value for name, value in settled(one, issued, NOW).items() if value is not None}
    return replace(one, kept=kept, sealed="sealed")


def test_one_that_is_not_there_is_had_and_one_that_is_there_is_enough() -> None:
    assert needed(certificate(), NOW, NOBODY) == "ssl_issue"
    assert needed(had(), NOW, NOBODY) is None
    assert needed(replace(had(), sealed=None), NOW, NOBODY) == "ssl_issue"


@pytest.mark.parametrize(
    "one", [certificate(acme_provider=None), certificate(is_active=False), buried(certificate()), site()]
)
def test_what_no_authority_is_to_give_is_not_asked_for(one: Document) -> None:
    assert needed(one, NOW, NOBODY) is None


def test_a_new_name_needs_another_one_and_a_name_that_went_does_not() -> None:
    assert needed(had(san_domains=["new.example.com"]), NOW, NOBODY) == "ssl_issue"
    assert needed(had(san_domains=[]), NOW, NOBODY) is None


def test_wildcards_are_not_asked_for_before_there_is_a_zone_that_can_answer() -> None:
    zone = document("DnsZone", "example.com", "anna")
    there = had(acme_challenge_type="dns01", is_wildcard=True, san_domains=["*.example.org"])
    assert needed(there, NOW, NOBODY) is None
    assert needed(there, NOW, company(document("DnsZone", "example.com", "bert")).related.get) is None
    assert needed(there, NOW, company(zone).related.get) == "ssl_issue"
    all_but_one = vouch("example.com", "*.example.com", days=60, since=30, key=MINE_KEY)
    there = had(all_but_one, acme_challenge_type="dns01", is_wildcard=True, san_domains=["*.example.org"])
    assert needed(there, NOW, company(zone).related.get) is None
    other = document("DnsZone", "example.org", "anna")
    assert needed(there, NOW, company(zone, other).related.get) == "ssl_issue"


@pytest.mark.parametrize(
    ("challenge", "code", "zone", "asked"),
    [
        ("dns01", "NotServedHere", "example.com", True),
        ("dns01", "NotServedHere", "example.org", False),
        ("dns01", "NameFailed", "example.com", False),
        ("http01", "NotServedHere", "example.com", False),
    ],
)
def test_that_nobody_had_a_name_is_forgotten_once_a_zone_has_it_that_is_asked(
    challenge: str, code: str, zone: str, asked: bool
) -> None:
    related = company(document("DnsZone", zone, "anna")).related.get
    one = certificate(acme_challenge_type=challenge)
    one = replace(one, kept=troubled(one, Failed(code, "no"), NOW))
    assert needed(one, NOW, NOBODY) is None
    assert needed(one, NOW, related) == ("ssl_issue" if asked else None)
    left = had(acme_challenge_type=challenge, san_domains=["a.example.com"])
    left = replace(left, kept=left.kept | unchanged(left, {"a.example.com": Failed(code, "no")}, NOW))
    assert ("a.example.com" in wanted(left, NOW, related)) is asked


def test_what_the_one_that_is_there_is_for_is_not_left_out_when_the_next_one_could_not_be_for_it() -> None:
    one = had(san_domains=["a.example.com"])
    why = Failed("NotServedHere", "it has no zone any more")
    assert unchanged(one, {"example.com": why}, NOW)["left_out"] is None
    assert set(unchanged(one, {"example.com": why, "a.example.com": why}, NOW)["left_out"]) == {
        "a.example.com"
    }


def test_another_authority_needs_another_one() -> None:
    assert needed(had(), NOW, NOBODY) is None
    other = replace(had(), spec=certificate(acme_provider="other").spec)
    assert needed(other, NOW, NOBODY) == "ssl_issue"
    own = replace(with_material(certificate(), "example.com"))
    assert needed(own, NOW, NOBODY) == "ssl_issue"


def test_it_is_renewed_with_a_third_of_its_lifetime_left_unless_told_otherwise() -> None:
    day = timedelta(days=1)
    assert needed(had(), NOW + 29 * day, NOBODY) is None
    assert needed(had(), NOW + 31 * day, NOBODY) == "ssl_renew"
    assert needed(had(auto_renew=False), NOW + 90 * day, NOBODY) is None


def test_the_authority_may_suggest_to_renew_earlier_and_never_later() -> None:
    one = had()
    chain = known_chain(one.kept)
    assert chain is not None
    early, late = NOW + timedelta(days=1), NOW + timedelta(days=50)
    assert renewal(chain, {"renew_at": early.isoformat()}) == early
    assert renewal(chain, {"renew_at": late.isoformat()}) == renewal(chain, {})
    issued = Issued(MINE.chain, MINE.key, renew_at=early)
    assert settled(one, issued, NOW)["renew_at"] == f"{early:%Y-%m-%dT%H:%M:%SZ}"


def test_an_authority_is_asked_again_when_to_renew_and_as_often_as_it_says() -> None:
    hour = timedelta(hours=1)
    assert suggestion_due(_knowing(had_at=None), NOW)
    since = _knowing(had_at=_at(NOW))
    assert [suggestion_due(since, NOW + hours * hour) for hours in (0, 5, 6)] == [False, False, True]
    later = _knowing(renew_ask_at=_at(NOW + 9 * hour))
    assert [suggestion_due(later, NOW + hours * hour) for hours in (8, 9)] == [False, True]
    assert not suggestion_due(later, NOW + timedelta(days=400))
    day = NOW + 24 * hour
    assert not suggestion_due(had(auto_renew=False), day)
    assert not suggestion_due(_knowing(provider="another"), day)
    assert not suggestion_due(certificate(), day)
    assert not suggestion_due(site(), day)
    for wait, asked in ((0, 1), (7, 7), (999, 24)):
        told = suggested(Suggestion(NOW, NOW + wait * hour), NOW)
        assert told == {"renew_at": _at(NOW), "renew_ask_at": _at(NOW + asked * hour)}
    assert not_told(NOW) == {"renew_ask_at": _at(NOW + 6 * hour)}


def _knowing(**values: Any) -> Document:
    one = had()
    return replace(one, kept={**one.kept, **values})


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@LAW
@given(st.integers(1, 12), st.none() | st.integers(0, 10**7))
def test_who_failed_waits_longer_each_time_and_as_long_as_the_authority_asks(
    times: int, asked: int | None
) -> None:
    one = certificate()
    wait = None if asked is None else timedelta(seconds=asked)
    for _ in range(times):
        one = replace(one, kept=troubled(one, Failed("RateLimited", "slowly", wait), NOW))
    pause = PAUSES[min(times, len(PAUSES)) - 1]
    pause = min(max(pause, wait or pause), LONGEST)
    assert one.kept["trouble"]["tries"] == times
    assert needed(one, NOW + pause - timedelta(seconds=2), NOBODY) is None
    assert needed(one, NOW + pause, NOBODY) == "ssl_issue"


@pytest.mark.parametrize("code", ["NamesLimited", "OwnerLimited", "FailuresLimited", "AuthorityLimited"])
def test_what_nobody_was_asked_for_is_no_try_and_tried_again_just_then(code: str) -> None:
    wait = Failed(code, "enough", timedelta(minutes=2))
    one = replace(certificate(), kept=troubled(certificate(), wait, NOW))
    assert (one.kept["trouble"]["tries"], one.kept["trouble"]["retry_at"]) == (0, _at(NOW + wait.wait))
    failed = replace(one, kept=troubled(one, Failed("AuthorityDown", "it is down"), NOW))
    assert failed.kept["trouble"]["tries"] == 1
    assert troubled(failed, wait, NOW)["trouble"]["tries"] == 1


def test_a_failure_is_about_what_was_asked_for() -> None:
    one = replace(certificate(), kept=troubled(certificate(), Failed("AuthorityUnknown", "no such"), NOW))
    assert needed(one, NOW, NOBODY) is None
    assert needed(replace(one, spec=certificate(acme_provider="zerossl").spec), NOW, NOBODY) == "ssl_issue"
    assert needed(replace(one, spec=certificate(auto_renew=False).spec), NOW, NOBODY) is None


def test_a_failure_of_a_name_that_is_not_wanted_any_more_keeps_nobody() -> None:
    one = certificate(san_domains=["a.example.com", "b.example.com"])
    one = replace(one, kept=troubled(one, Failed("NameFailed", "no", names=["a.example.com"]), NOW))
    assert one.kept["trouble"]["names"] == ["a.example.com"]
    assert needed(one, NOW, NOBODY) is None
    assert (
        needed(replace(one, spec=certificate(san_domains=["b.example.com"]).spec), NOW, NOBODY) == "ssl_issue"
    )


@pytest.mark.parametrize("hours", [1, 24, 36, 48, 90, 96, 120, 160, 90 * 24])
def test_a_renewal_that_insists_on_a_name_that_fails_is_had_without_it_before_the_end(hours: int) -> None:
    given = vouch("example.com", "www.example.com", days=hours / 24, since=0, key=MINE_KEY)
    one = replace(had(given), kept={**had(given).kept, "renew_at": None, "had_at": None})
    chain = known_chain(one.kept)
    assert chain is not None
    now, tries = chain.valid_until - timedelta(seconds=chain.lifetime / 3), 0
    while indispensable(one, now, "ssl_renew"):
        tries += 1
        failed = Failed("NameFailed", "no address", names=["www.example.com"])
        one = replace(one, kept={**one.kept, **troubled(one, failed, now)})
        now = datetime.fromisoformat(one.kept["trouble"]["retry_at"]) + timedelta(seconds=1)
    assert now < chain.valid_until
    assert tries < 40


def test_one_that_has_ended_is_tried_again_soon_enough() -> None:
    one = had()
    chain = known_chain(one.kept)
    assert chain is not None
    late = chain.valid_until + timedelta(minutes=1)
    for _ in range(9):
        one = replace(one, kept={**one.kept, **troubled(one, Failed("AuthorityDown", "no"), late)})
    assert needed(one, late + timedelta(hours=4), NOBODY) == "ssl_renew"
    assert needed(one, late + timedelta(hours=3), NOBODY) is None


@pytest.mark.parametrize(("code", "hours"), [("AuthorityUnknown", 1), ("Misconfigured", 1), ("Refused", 24)])
def test_what_operators_have_to_mend_is_tried_each_hour_at_least(code: str, hours: int) -> None:
    one = certificate()
    for _ in range(9):
        one = replace(one, kept=one.kept | troubled(one, Failed(code, "no"), NOW))
    assert needed(one, NOW + timedelta(hours=hours, minutes=1), NOBODY) == "ssl_issue"
    assert needed(one, NOW + timedelta(hours=hours, minutes=-1), NOBODY) is None


def test_a_name_that_failed_is_left_out_for_a_while_and_then_tried_again() -> None:
    one = had(left_out={"bad.example.com": "no address"}, san_domains=["www.example.com", "bad.example.com"])
    assert needed(one, NOW, NOBODY) is None
    assert wanted(one, NOW, NOBODY) == ("example.com", "www.example.com")
    later = NOW + PAUSES[0] + timedelta(seconds=1)
    assert needed(one, later, NOBODY) == "ssl_issue"
    assert "bad.example.com" in wanted(one, later, NOBODY)
    again = settled(one, Issued(MINE.chain, MINE.key, _left({"bad.example.com": "still none"})), later)
    left = again["left_out"]["bad.example.com"]
    assert (left["tries"], left["code"], left["message"]) == (2, "NameFailed", "still none")


def test_what_is_left_out_is_remembered_until_there_is_one_for_it_or_it_is_not_wanted() -> None:
    left = {"a.example.com": "no", "www.example.com": "no", "gone.example.com": "no"}
    one = had(left_out=left, san_domains=["a.example.com", "www.example.com"])
    assert set(settled(one, Issued(MINE.chain, MINE.key), NOW)["left_out"]) == {"a.example.com"}


@pytest.mark.parametrize(
    "chain",
    [
        "nothing",
        vouch("example.org").chain,
        vouch("example.com").chain,
        vouch("example.com", days=-1, since=2, key=MINE_KEY).chain,
        vouch("example.com", days=9, since=-1, key=MINE_KEY).chain,
    ],
    ids=["nothing", "of another name", "of another key", "ended", "not begun"],
)
def test_an_answer_that_cannot_be_used_is_a_failure(chain: str) -> None:
    with pytest.raises(Failed, match="authority gave") as caught:
        settled(certificate(), Issued(chain, MINE.key), NOW)
    assert caught.value.code == "BadAnswer"


def test_a_name_that_was_ordered_and_not_given_is_left_out_and_not_ordered_at_once() -> None:
    one = certificate(san_domains=["www.example.com", "shop.example.com"])
    names = ("example.com", "www.example.com", "shop.example.com")
    values = settled(one, Issued(MINE.chain, MINE.key, names=names), NOW)
    assert set(values["left_out"]) == {"shop.example.com"}
    there = replace(one, kept={name: each for name, each in values.items() if each}, sealed="sealed")
    assert needed(there, NOW, NOBODY) is None


def test_it_is_not_renewed_right_after_it_was_had_whatever_the_authority_suggests() -> None:
    one = certificate(san_domains=["www.example.com"])
    values = settled(one, Issued(MINE.chain, MINE.key, renew_at=NOW - timedelta(days=9)), NOW)
    one = replace(one, kept={name: each for name, each in values.items() if each}, sealed="sealed")
    assert needed(one, NOW + timedelta(hours=35), NOBODY) is None
    assert needed(one, NOW + timedelta(hours=36), NOBODY) == "ssl_renew"


def test_for_more_names_only_another_one_is_had_only_if_there_are_more() -> None:
    day = timedelta(days=1)
    names = ("example.com", "www.example.com")
    assert held(had(), NOW) == names
    assert held(certificate(), NOW) == ()
    assert held(replace(had(), sealed=None), NOW) == ()
    assert held(replace(had(), spec=certificate(acme_provider="other").spec), NOW) == ()
    assert held(had(), NOW + 31 * day) == ()
    assert held(had(auto_renew=False), NOW + 31 * day) == names
    assert held(had(auto_renew=False), NOW + 61 * day) == ()
    assert enough(names, names[1:])
    assert not enough(names, (*names, "new.example.com"))
    assert not enough((), ())


def test_what_is_still_left_out_is_counted_and_what_is_there_stays() -> None:
    one = had(left_out={"bad.example.com": "no"}, san_domains=["www.example.com", "bad.example.com"])
    values = unchanged(one, _left({"bad.example.com": "still no"}), NOW)
    assert values["left_out"]["bad.example.com"]["tries"] == 2
    assert values.keys() == {"left_out", "trouble"}
    assert unchanged(certificate(), {}, NOW) == {"left_out": None, "trouble": None}


def test_why_nothing_is_needed_is_said_truly() -> None:
    failed = replace(certificate(), kept=troubled(certificate(), Failed("Down", "it is down"), NOW))
    assert settled_without(failed, NOW) == f"it is asked for again at {failed.kept['trouble']['retry_at']}"
    assert settled_without(had(), NOW) == "there is one already"
    assert settled_without(certificate(), NOW) == "it cannot be asked for yet"
    assert settled_without(failed, NOW + timedelta(days=1)) == "it cannot be asked for yet"


@LAW
@given(st.timedeltas(timedelta(0), timedelta(days=999)))
def test_a_job_that_could_not_be_concluded_is_as_long_again_in_beginning_again(age: timedelta) -> None:
    wait = lost_until(NOW - age, NOW) - NOW
    assert timedelta(minutes=1) <= wait <= timedelta(days=1)
    assert wait in {age, timedelta(minutes=1), timedelta(days=1)}
