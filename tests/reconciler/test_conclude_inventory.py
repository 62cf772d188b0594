"""What is ours stays known through crashes, failures and fights."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.apply import Result
from reconciler.changes import Action, Cause
from reconciler.conclude import intend
from reconciler.holdings import Holding, holdings
from state.document import PROMISE, Status
from state.resource import digest
from tests.reconciler.worlds import Host, host_with
from tests.state.companies import LAW, Company, buried, companies, company, site, user

SITE = "WebDomain/example.com"
VHOST = "config:nginx/example.com.conf"
ROOT = "directory:/home/anna/web/example.com/public_html"
PAGE = "file:/home/anna/web/example.com/public_html/index.html"
ANNAS = company(user(), site())
MODE = {"mode": "0755"}


def _crashed(host: Host, some: Company, made: set[str]) -> None:
    """A pass that promised all and ended after it had made only some."""
    survey = host.survey(some)
    host.statuses |= intend(survey)
    for change in survey.plan.changes:
        if change.key in made and change.after is not None:
            host.there[change.key] = dict(change.after)


def test_what_is_about_to_be_made_is_promised_and_what_is_changed_or_deleted_is_known_already() -> None:
    host = host_with(ANNAS)
    survey = host.survey(company(user(), site(aliases=["www.example.com"]), site("b.example.com")))
    assert set(intend(survey)) == {"WebDomain/b.example.com"}
    promised = intend(survey)["WebDomain/b.example.com"].applied
    assert promised["config:nginx/b.example.com.conf"].startswith(PROMISE)
    assert intend(host.survey(company(user(), buried(site())))) == {}


def test_a_daemon_is_promised_to_nobody() -> None:
    host = host_with(ANNAS)
    del host.there["service:nginx"]
    assert intend(host.survey(ANNAS)) == {}


def test_a_promise_is_renewed_when_another_thing_is_about_to_be_made() -> None:
    host = Host()
    host.statuses |= intend(host.survey(ANNAS))
    other = host.survey(company(user(), site(aliases=["www.example.com"])))
    host.statuses |= intend(other)
    assert host.statuses[SITE].applied[VHOST] == PROMISE + other.catalog.resources[VHOST].digest


def test_after_a_crash_what_was_not_made_is_made_as_intended_even_a_page() -> None:
    host = Host()
    _crashed(host, ANNAS, set())
    changes = {c.key: c for c in host.survey(ANNAS).plan.changes}
    assert changes[PAGE].action is Action.CREATE
    assert {c.cause for c in changes.values() if c.document} == {Cause.INTENDED}


@LAW
@given(companies(), st.data())
def test_after_a_crash_anywhere_the_next_pass_ends_as_if_there_had_been_none(
    some: Company, data: st.DataObject
) -> None:
    keys = sorted(Host().survey(some).catalog.resources)
    host, other = Host(), Host()
    _crashed(host, some, data.draw(st.sets(st.sampled_from(keys))) if keys else set())
    host.reconcile(some)
    other.reconcile(some)
    assert host.there == other.there
    assert host.statuses == other.statuses


def test_what_was_made_before_a_crash_is_put_away_when_its_document_was_deleted_since() -> None:
    host = Host()
    _crashed(host, ANNAS, {VHOST, ROOT})
    survey, conclusions = host.reconcile(company(user(), buried(site())))
    assert {c.key for c in survey.plan.changes if c.action is Action.DELETE} == {VHOST, ROOT}
    assert conclusions[SITE].forget
    assert host.statuses[SITE].applied == {}


def test_what_was_made_before_a_crash_can_be_changed_when_its_document_was_changed_since() -> None:
    host = Host()
    _crashed(host, ANNAS, {VHOST})
    change = next(
        c
        for c in host.survey(company(user(), site(aliases=["w.example.com"]))).plan.changes
        if c.key == VHOST
    )
    assert (change.action, change.cause) == (Action.UPDATE, Cause.INTENDED)


def test_what_was_promised_but_stands_there_otherwise_is_foreign() -> None:
    host = Host()
    _crashed(host, ANNAS, set())
    host.there[VHOST] = {"owner": "root", "group": "root", "mode": "0644", "sha256": "of an operator's"}
    assert VHOST not in [c.key for c in host.survey(ANNAS).plan.changes]
    assert [r.code for r in host.survey(ANNAS).plan.blocked[SITE]] == ["Unmanaged"]
    survey, conclusions = host.reconcile(company(user(), buried(site())))
    assert VHOST not in [c.key for c in survey.plan.changes]
    assert conclusions[SITE].forget


def test_promises_of_a_held_document_are_kept() -> None:
    host = Host()
    _crashed(host, ANNAS, {VHOST})
    before = host.statuses[SITE].applied
    host.reconcile(company(user(), site(web_template="missing")))
    assert host.statuses[SITE].applied == before


@pytest.mark.parametrize("undone", [{}, {"mode": "0777"}])
def test_a_repair_that_is_undone_each_time_is_contested_in_the_end(undone: Mapping[str, Any]) -> None:
    host = host_with(ANNAS)
    for _ in range(3):
        host.there[ROOT] = {**host.there[ROOT], "mode": "0777"}
        survey = host.survey(ANNAS)
        assert survey.plan.changes
        host.make(survey.plan)
        host.there[ROOT] |= undone
        host.conclude(survey, host.applied(survey.plan))
    host.there[ROOT] = {**host.there[ROOT], "mode": "0777"}
    plan = host.survey(ANNAS).plan
    assert plan.changes == ()
    assert [r.code for r in plan.blocked[SITE]] == ["Contested"]


def test_a_repair_that_failed_is_no_fight() -> None:
    host = host_with(ANNAS)
    host.there[ROOT]["mode"] = "0777"
    survey = host.survey(ANNAS)
    host.conclude(survey, host.applied(survey.plan, {ROOT: Result("failed", "read-only")}))
    assert host.statuses[SITE].repairs == {}


def test_a_new_spec_ends_the_count_of_repairs() -> None:
    host = host_with(ANNAS)
    del host.there[VHOST]
    host.reconcile(ANNAS)
    assert host.statuses[SITE].repairs == {VHOST: 1}
    host.reconcile(company(user(), site(aliases=["www.example.com"])))
    assert host.statuses[SITE].repairs == {}


def test_of_two_that_hold_one_thing_the_one_that_wants_it_counts() -> None:
    statuses = {uid: Status(uid, applied={ROOT: uid}) for uid in ("a", "b", "c")}
    assert holdings(statuses, {}, {ROOT: "b"}) == ({ROOT: Holding("b", "b")}, {})
    assert holdings(statuses, {}, {}) == ({ROOT: Holding("a", "a")}, {})


def test_a_promise_holds_only_what_is_found_just_so() -> None:
    statuses = {"a": Status("a", applied={ROOT: PROMISE + digest(MODE), VHOST: PROMISE + digest(MODE)})}
    held, broken = holdings(statuses, {ROOT: MODE, VHOST: {"mode": "0700"}}, {})
    assert held == {ROOT: Holding("a", PROMISE + digest(MODE))}
    assert not held[ROOT].proved
    assert broken == {VHOST: "a"}
