"""What a pass says of each document, and whether it is tried again soon."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reconciler.apply import Applied, Result
from reconciler.conclude import NOTHING, conclude, news, postpone
from reconciler.guard import Verdict, hold_back
from reconciler.subject import Survey
from state.document import Condition, Refusal
from state.errors import Unreachable
from tests.reconciler.worlds import NOON, Host, condition, host_with
from tests.state.companies import buried, company, document, site, user

SITE = "WebDomain/example.com"
VHOST = "config:nginx/example.com.conf"
ROOT = "directory:/home/anna/web/example.com/public_html"
ANNAS = company(user(), site())
ALIASED = company(user(), site(aliases=["www.example.com"]))
LATER = NOON + timedelta(hours=1)


def test_a_document_for_which_all_was_done_is_ready_and_not_tried_again() -> None:
    _, conclusions = Host().reconcile(ANNAS)
    ready = condition(conclusions[SITE].status, "Ready")
    assert (ready.status, ready.reason, ready.observed_generation) == (True, "Converged", 1)
    assert not condition(conclusions[SITE].status, "Blocked").status
    assert not conclusions[SITE].retry
    assert not conclusions[SITE].forget


@pytest.mark.parametrize(
    ("status", "reason", "retry"),
    [
        ("refused", "Refused", False),
        ("failed", "ApplyFailed", True),
        ("stale", "Changed", True),
        ("skipped", "Waiting", True),
    ],
)
def test_a_change_that_was_not_made_is_told_of(status: str, reason: str, retry: bool) -> None:
    host = Host()
    survey = host.survey(ANNAS)
    host.make(survey.plan, but={VHOST})
    conclusions = host.conclude(survey, host.applied(survey.plan, {VHOST: Result(status, "because")}))
    ready = condition(conclusions[SITE].status, "Ready")
    assert (ready.status, ready.reason, ready.message) == (False, reason, f"{VHOST}: because")
    assert conclusions[SITE].retry is retry
    assert VHOST not in conclusions[SITE].status.applied
    assert condition(conclusions["User/anna"].status, "Ready").status


def test_a_change_of_which_the_host_said_nothing_failed() -> None:
    survey = Host().survey(ANNAS)
    conclusion = conclude(survey, NOTHING, NOON)[SITE]
    assert "did not say" in condition(conclusion.status, "Ready").message
    assert conclusion.retry
    assert conclusion.status.applied == {}


def test_a_change_that_was_not_looked_at_again_is_taken_at_its_word() -> None:
    host = host_with(ANNAS)
    survey = host.survey(ALIASED)
    conclusion = host.conclude(survey, Applied({VHOST: Result("applied")}, {}, {}, {}))[SITE]
    assert condition(conclusion.status, "Ready").status


@pytest.mark.parametrize("found", [None, {"mode": "0777"}])
def test_a_change_that_a_second_look_finds_undone_is_told_of_and_tried_again(
    found: dict[str, str] | None,
) -> None:
    host = Host()
    survey = host.survey(ANNAS)
    host.make(survey.plan)
    done = host.applied(survey.plan)
    conclusion = host.conclude(survey, replace(done, observed={**done.observed, VHOST: found}))[SITE]
    assert condition(conclusion.status, "Ready").reason == "Undone"
    assert conclusion.retry
    assert VHOST in conclusion.status.applied


def test_a_deletion_that_a_second_look_finds_undone_stays_in_the_inventory() -> None:
    host = host_with(ANNAS)
    survey = host.survey(company(user(), buried(site())))
    conclusion = host.conclude(survey, host.applied(survey.plan))[SITE]
    assert conclusion.status.applied.keys() >= {VHOST, ROOT}
    assert (conclusion.forget, conclusion.retry) == (False, True)


def test_a_page_that_its_tenant_changed_in_the_meantime_is_as_good_as_ours() -> None:
    host = Host()
    survey = host.survey(ANNAS)
    host.make(survey.plan)
    page = f"file:{ROOT.split(':')[1]}/index.html"
    host.there[page] = {**host.there[page], "sha256": "of the tenant's"}
    assert condition(host.conclude(survey, host.applied(survey.plan))[SITE].status, "Ready").status


def test_a_refused_change_is_remembered_by_its_digest() -> None:
    host = host_with(ANNAS)
    survey = host.survey(ALIASED)
    told = {VHOST: Result("refused", "nginx: duplicate")}
    status = host.conclude(survey, host.applied(survey.plan, told))[SITE].status
    assert status.refused == {VHOST: Refusal(survey.catalog.resources[VHOST].digest, "nginx: duplicate")}
    again = host.survey(ALIASED)
    assert again.plan.changes == ()
    assert condition(host.conclude(again, NOTHING)[SITE].status, "Blocked").reason == "Refused"


def test_a_refused_deletion_is_no_refusal_of_a_text() -> None:
    host = host_with(ANNAS)
    survey = host.survey(company(user(), buried(site())))
    told = {VHOST: Result("refused", "nginx: no")}
    conclusion = host.conclude(survey, host.applied(survey.plan, told))[SITE]
    assert conclusion.status.refused == {}
    assert VHOST in conclusion.status.applied


def test_a_refusal_is_forgotten_with_the_thing_that_was_refused() -> None:
    host = host_with(ANNAS)
    host.statuses[SITE] = replace(host.statuses[SITE], refused={"config:nginx/other.conf": Refusal("x", "y")})
    host.reconcile(ANNAS)
    assert host.statuses[SITE].refused == {}


def test_a_blocked_document_keeps_what_was_applied_and_waits() -> None:
    host = host_with(ANNAS)
    before = host.statuses[SITE].applied
    _, conclusions = host.reconcile(company(user(), site(backend_template="PHP-5.6")))
    blocked = condition(conclusions[SITE].status, "Blocked")
    assert (blocked.status, blocked.reason) == (True, "PhpMissing")
    assert condition(conclusions[SITE].status, "Ready").reason == "PhpMissing"
    assert conclusions[SITE].status.applied == before
    assert not conclusions[SITE].retry


def test_a_document_that_does_not_compile_says_so_and_is_not_blocked() -> None:
    broken = site()
    broken = replace(broken, spec=broken.spec.model_copy(update={"aliases": ("a;b",)}))
    _, conclusions = Host().reconcile(company(user(), broken))
    assert condition(conclusions[SITE].status, "Ready").reason == "CompileFailed"
    assert not condition(conclusions[SITE].status, "Blocked").status


def test_all_problems_stand_in_the_message() -> None:
    host = Host()
    survey = host.survey(ANNAS)
    told = {VHOST: Result("refused", "one"), ROOT: Result("failed", "two")}
    host.make(survey.plan, but=told)
    message = condition(host.conclude(survey, host.applied(survey.plan, told))[SITE].status, "Ready").message
    assert message == f"{ROOT}: two; {VHOST}: one"


def test_a_deleted_document_of_which_nothing_is_left_is_forgotten() -> None:
    host = host_with(ANNAS)
    _, conclusions = host.reconcile(company(user(), buried(site())))
    assert conclusions[SITE].forget
    assert not conclusions[SITE].retry


def test_a_deleted_document_that_the_guard_held_back_is_blocked_and_kept() -> None:
    host = host_with(ANNAS)
    survey = host.survey(company(user(), buried(site(), confirmed=False)))
    held = hold_back(survey.plan, survey.subject.documents, Verdict(False, "too many: confirm"))
    conclusion = host.conclude(replace(survey, plan=held), NOTHING)[SITE]
    blocked = condition(conclusion.status, "Blocked")
    assert (blocked.status, blocked.reason, blocked.message) == (True, "HeldBack", "too many: confirm")
    assert not condition(conclusion.status, "Ready").status
    assert (conclusion.forget, conclusion.retry) == (False, False)


def test_the_time_of_a_condition_moves_only_when_its_status_does() -> None:
    host = Host()
    host.reconcile(ANNAS, NOON)
    host.reconcile(ALIASED, LATER)
    assert condition(host.statuses[SITE], "Ready").last_transition == NOON
    host.reconcile(company(user(), site(web_template="missing")), LATER)
    assert condition(host.statuses[SITE], "Ready").last_transition == LATER
    assert condition(host.statuses[SITE], "Blocked").last_transition == LATER


def test_a_repaired_document_is_drifted_no_more() -> None:
    host = host_with(ANNAS)
    drifted = Condition("Drifted", True, "ChangedOnHost", "mode", 1, NOON)
    host.statuses[SITE] = host.statuses[SITE].having(drifted)
    host.there[ROOT]["mode"] = "0777"
    survey = host.survey(ANNAS)
    failed = host.conclude(survey, host.applied(survey.plan, {ROOT: Result("failed", "read-only")}))
    assert condition(failed[SITE].status, "Drifted").status
    host.reconcile(ANNAS, LATER)
    assert condition(host.statuses[SITE], "Drifted") == Condition("Drifted", False, "Repaired", "", 1, LATER)


def test_one_that_was_repaired_is_drifted_no_more_though_its_service_does_not_run() -> None:
    host = host_with(ANNAS)
    host.statuses[SITE] = host.statuses[SITE].having(
        Condition("Drifted", True, "ChangedOnHost", "mode", 1, NOON)
    )
    host.there[ROOT]["mode"] = "0777"
    host.there["service:nginx"] = {"active": False, "current": False, "masked": True}
    survey = host.survey(ANNAS)
    (daemon,) = (change for change in survey.plan.changes if change.key == "service:nginx")
    assert daemon.action == "update"
    masked = {"service:nginx": Result("failed", "nginx is masked on this host: systemctl unmask nginx")}
    host.make(survey.plan, but=masked)
    status = host.conclude(survey, host.applied(survey.plan, masked))[SITE].status
    assert not condition(status, "Drifted").status
    assert (condition(status, "Ready").status, condition(status, "Ready").reason) == (False, "ServiceFailed")


def test_a_target_that_does_not_answer_postpones_its_documents_and_keeps_what_is_known() -> None:
    host = host_with(ANNAS)
    survey = host.survey(ANNAS)
    for status in postpone(survey.subject, Unreachable("web1 does not answer"), NOON):
        ready = condition(status, "Ready")
        assert (ready.status, ready.reason) == (False, "Unreachable")
        assert ready.message == "web1 does not answer; tried again soon"
        assert status.applied == host.statuses[status.uid].applied


@pytest.mark.parametrize(("held", "still"), [("ProviderMissing", False), ("OwnerSuspended", True)])
def test_a_provider_that_does_not_answer_is_there(held: str, still: bool) -> None:
    host = host_with(ANNAS)
    host.statuses[SITE] = host.statuses[SITE].having(Condition("Blocked", True, held, "it waits", 1, NOON))
    told = {each.uid: each for each in postpone(host.survey(ANNAS).subject, Unreachable("no answer"), NOON)}
    assert condition(told[SITE], "Blocked").status is still
    assert condition(told[SITE], "Ready").reason == "Unreachable"


def _keeping(survey: Survey, **values: object) -> Survey:
    outcome = replace(survey.catalog.outcomes[SITE], keep=values)
    return replace(
        survey, catalog=replace(survey.catalog, outcomes={**survey.catalog.outcomes, SITE: outcome})
    )


def test_what_is_to_be_remembered_is_remembered_once_all_is_true() -> None:
    host = Host()
    survey = _keeping(host.survey(ANNAS), serial=7)
    host.make(survey.plan)
    assert host.conclude(survey, host.applied(survey.plan, {}))[SITE].keep == {"serial": 7}
    refused = host.applied(survey.plan, {VHOST: Result("refused", "because")})
    assert host.conclude(survey, refused)[SITE].keep == {}


def test_what_is_remembered_already_is_not_written_again() -> None:
    known = company(user(), replace(site(), kept={"serial": 7, "key": "a"}))
    survey = _keeping(Host().survey(known), serial=7, key="b")
    host = Host()
    host.make(survey.plan)
    assert host.conclude(survey, host.applied(survey.plan, {}))[SITE].keep == {"key": "b"}


def test_what_waits_for_us_is_not_ready_nor_blocked_and_nothing_to_tell_of() -> None:
    host = Host()
    survey, conclusions = host.reconcile(company(user(), document("Certificate", "example.com", "anna")))
    status = conclusions["Certificate/example.com"].status
    assert (condition(status, "Ready").status, condition(status, "Ready").reason) == (False, "Issuing")
    assert not condition(status, "Blocked").status
    assert [event.name for event in news(survey, conclusions) if "ssl" in event.name] == []
