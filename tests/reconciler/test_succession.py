"""A name that went from one document to another: what its predecessor had is taken over, or put away, never mixed."""

from dataclasses import replace

import pytest

from reconciler.apply import Result
from reconciler.changes import Action, Cause
from reconciler.conclude import intend
from tests.reconciler.worlds import Host, host_with
from tests.state.companies import Company, buried, company, site, user

HOME = "directory:/home/anna"
PAGE = "file:/home/anna/web/example.com/public_html/index.html"
FIRST, SECOND = user(uid="first"), user(uid="second")
OLD, NEW = site(uid="old"), site(uid="new")
BEFORE = company(FIRST, OLD)
AFTER = company(buried(FIRST), SECOND, buried(OLD), NEW)
RECREATED = company(FIRST, buried(OLD), NEW)


def test_an_account_whose_name_went_to_another_person_is_replaced_with_a_home_of_its_own() -> None:
    host = host_with(BEFORE)
    changes = {c.key: c for c in host.survey(AFTER).plan.changes}
    assert changes["account:anna"].action is Action.REPLACE
    assert changes["account:anna"].document == "second"
    assert changes[HOME].action is Action.CREATE
    assert changes[PAGE].action is Action.CREATE
    assert {c.cause for c in changes.values()} == {Cause.INTENDED}


def test_the_new_home_has_a_first_page_even_where_the_old_one_had_none_of_ours() -> None:
    host = host_with(BEFORE)
    del host.there[PAGE]
    applied = {key: known for key, known in host.statuses["old"].applied.items() if key != PAGE}
    host.statuses["old"] = replace(host.statuses["old"], applied=applied)
    assert {c.key: c.action for c in host.survey(AFTER).plan.changes}[PAGE] is Action.CREATE


def test_after_the_replacement_all_belongs_to_the_new_person_and_the_old_one_is_forgotten() -> None:
    host = host_with(BEFORE)
    _, conclusions = host.reconcile(AFTER)
    assert conclusions["first"].forget
    assert conclusions["old"].forget
    assert {"account:anna", HOME} <= host.statuses["second"].applied.keys()
    assert PAGE in host.statuses["new"].applied
    assert host.survey(AFTER).plan.changes == ()


def test_a_replacement_that_failed_is_planned_again_as_one() -> None:
    host = host_with(BEFORE)
    survey = host.survey(AFTER)
    failed = {c.key: Result("failed", "no space") for c in survey.plan.changes}
    conclusions = host.conclude(survey, host.applied(survey.plan, failed))
    assert not conclusions["first"].forget
    assert conclusions["first"].retry
    assert {c.key: c.action for c in host.survey(AFTER).plan.changes}["account:anna"] is Action.REPLACE


@pytest.mark.parametrize("order", [1, -1])
def test_a_crash_before_the_replacement_does_not_hand_the_home_to_the_new_person(order: int) -> None:
    host = host_with(BEFORE)
    host.statuses |= intend(host.survey(AFTER))
    shuffled = Company(AFTER.documents[::order])
    changes = {c.key: c.action for c in host.survey(shuffled).plan.changes}
    assert changes["account:anna"] is Action.REPLACE
    assert changes[HOME] is Action.CREATE
    assert changes[PAGE] is Action.CREATE


@pytest.mark.parametrize("order", [1, -1])
def test_a_crash_after_the_replacement_leaves_only_the_books_to_be_kept(order: int) -> None:
    host = host_with(BEFORE)
    survey = host.survey(AFTER)
    host.statuses |= intend(survey)
    host.make(survey.plan)
    again, conclusions = host.reconcile(Company(AFTER.documents[::order]))
    assert again.plan.changes == ()
    assert conclusions["first"].forget
    assert {"account:anna", HOME} <= host.statuses["second"].applied.keys()


def test_a_site_deleted_and_made_again_just_so_is_taken_over_and_stays_ours() -> None:
    host = host_with(BEFORE)
    survey, conclusions = host.reconcile(RECREATED)
    assert survey.plan.changes == ()
    assert conclusions["old"].forget
    assert "config:nginx/example.com.conf" in host.statuses["new"].applied
    gone = host.survey(company(FIRST, buried(NEW))).plan
    assert "config:nginx/example.com.conf" in [c.key for c in gone.changes]


def test_a_site_made_again_differently_is_an_intended_update_of_its_predecessors() -> None:
    host = host_with(BEFORE)
    other = company(FIRST, buried(OLD), site(uid="new", aliases=["www.example.com"]))
    (change,) = host.survey(other).plan.changes
    assert (change.action, change.cause, change.document) == (Action.UPDATE, Cause.INTENDED, "new")


def test_while_the_successor_is_held_the_predecessor_keeps_its_inventory() -> None:
    host = host_with(BEFORE)
    survey = host.survey(company(FIRST, buried(OLD), site(uid="new", web_template="missing")))
    assert survey.catalog.outcomes["new"].held
    assert "config:nginx/example.com.conf" in [
        c.key for c in survey.plan.changes if c.action is Action.DELETE
    ]


def test_an_account_with_another_number_by_hand_is_set_right_without_losing_its_home() -> None:
    host = host_with(BEFORE)
    host.there["account:anna"]["uid"] = 4711
    (change,) = host.survey(BEFORE).plan.changes
    assert (change.action, change.cause) == (Action.UPDATE, Cause.CORRECTIVE)


def test_a_foreign_account_of_the_same_name_is_never_replaced() -> None:
    host = Host({"account:anna": {"uid": 1000, "home": "/home/anna"}, HOME: {"mode": "0755"}})
    plan = host.survey(company(user())).plan
    assert plan.changes == ()
    assert {r.code for r in plan.blocked["User/anna"]} == {"Unmanaged", "Waiting"}


def test_the_predecessors_tombstone_alone_puts_all_of_it_away() -> None:
    host = host_with(BEFORE)
    plan = host.survey(company(buried(FIRST), buried(OLD))).plan
    assert {c.action for c in plan.changes} == {Action.DELETE}
    assert [c.key for c in plan.changes][-1] == "account:anna"


def test_a_tombstone_next_to_a_living_document_of_another_number_harms_it_not() -> None:
    host = host_with(company(SECOND))
    plan = host.survey(company(buried(replace(FIRST, uid="never")), SECOND)).plan
    assert (plan.changes, plan.gone) == ((), ())
