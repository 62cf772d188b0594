"""The budget of deletions that nobody confirmed one by one."""

from dataclasses import replace

import pytest

from reconciler.changes import Plan
from reconciler.guard import Verdict, hold_back, judge
from state.document import Document
from tests.reconciler.worlds import Host, host_with
from tests.state.companies import buried, company, site, user

REFUSED = Verdict(False, "too many")


def _shrunken(gone: int, *, confirmed: bool = False) -> tuple[Plan, dict[str, Document]]:
    """A plan for a company of which so many sites are gone."""
    sites = [site(f"{n}.example.com") for n in range(gone)]
    host = host_with(company(user(), *sites))
    survey = host.survey(company(user(), *(buried(each, confirmed=confirmed) for each in sites)))
    return survey.plan, dict(survey.subject.documents)


@pytest.mark.parametrize(
    ("gone", "total", "allowed"),
    [
        (0, 0, True),
        (3, 3, True),
        (4, 4, False),
        (3, 15, True),
        (4, 15, False),
        (4, 16, True),
        (5, 19, False),
        (5, 20, True),
        (6, 20, False),
    ],
)
def test_a_quarter_of_the_target_or_three_may_go_without_confirmation(
    gone: int, total: int, allowed: bool
) -> None:
    plan, documents = _shrunken(gone)
    verdict = judge(plan, documents, total)
    assert verdict.allowed is allowed
    assert bool(verdict.message) is not allowed


def test_the_refusal_states_the_numbers_and_what_to_do() -> None:
    plan, documents = _shrunken(5)
    assert judge(plan, documents, 12).message == (
        "5 of 12 documents would be deleted because their source no longer has them; "
        "at most 3 are without confirmation: restore the source, or confirm the deletion"
    )


def test_confirmed_deletions_are_not_counted() -> None:
    plan, documents = _shrunken(9, confirmed=True)
    assert judge(plan, documents, 9) == Verdict()


def test_tombstones_with_nothing_to_delete_are_not_counted() -> None:
    _, documents = _shrunken(9)
    assert judge(Plan(), documents, 9) == Verdict()


def test_old_configurations_of_living_documents_are_not_counted() -> None:
    sites = [site(f"{n}.example.com") for n in range(9)]
    host = host_with(company(user(), *sites))
    off = [site(f"{n}.example.com", is_active=False) for n in range(9)]
    survey = host.survey(company(user(), *off))
    assert len(survey.plan.changes) == 9
    assert judge(survey.plan, survey.subject.documents, 9) == Verdict()


def test_only_the_deletions_in_doubt_are_held_back_and_blocked() -> None:
    host = host_with(company(user(), site("a.example"), site("b.example")))
    doubtful, sure = buried(site("a.example"), confirmed=False), buried(site("b.example"))
    survey = host.survey(company(user(), doubtful, sure, site("c.example")))
    held = hold_back(survey.plan, survey.subject.documents, REFUSED)
    assert [c for c in survey.plan.changes if c.document != doubtful.uid] == list(held.changes)
    assert {uid: [(r.code, r.message) for r in reasons] for uid, reasons in held.blocked.items()} == {
        doubtful.uid: [("HeldBack", "too many")]
    }


def test_a_tombstone_with_nothing_left_to_delete_is_not_held_back() -> None:
    survey = Host().survey(company(buried(site(), confirmed=False)))
    assert hold_back(survey.plan, survey.subject.documents, REFUSED).blocked == {}


def test_reasons_that_were_known_stay_beside_the_guards() -> None:
    plan, documents = _shrunken(4)
    uid = next(iter(documents.keys() - {"Package/default", "User/anna"}))
    known = replace(plan, blocked={"User/anna": (), uid: ()})
    assert [r.code for r in hold_back(known, documents, REFUSED).blocked[uid]] == ["HeldBack"]
    assert "User/anna" in hold_back(known, documents, REFUSED).blocked


@pytest.mark.parametrize(("elsewhere", "allowed"), [(25, True), (26, False)])
def test_a_plan_with_some_of_the_deletions_is_judged_by_all_of_the_targets(
    elsewhere: int, allowed: bool
) -> None:
    plan, documents = _shrunken(2)
    assert judge(plan, documents, 100, elsewhere).allowed is allowed


def test_deletions_in_doubt_elsewhere_do_not_refuse_a_plan_that_has_none() -> None:
    assert judge(Plan(), {}, 4, 4) == Verdict()
