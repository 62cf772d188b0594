"""Parts share the outcome of their whole: compiled, concluded, held back and rehearsed together."""

from dataclasses import replace

from reconciler.apply import Result
from reconciler.conclude import changed_statuses, remembered_ahead
from reconciler.guard import hold_back, judge
from reconciler.subject import Subject, with_overlay
from state.document import Document
from tests.reconciler.worlds import Host, condition, host_with
from tests.state.companies import TARGET, Company, buried, company, document, part, user

ZONE = document("DnsZone", "example.com", "anna")
WWW = part(ZONE, "www", name="www", record_type="TXT", value="here")
MAIL = part(ZONE, "mail", name="mail", record_type="A", value="192.0.2.9")
FILE = "config:named/example.com.zone"


def world(*others: Document) -> Company:
    return company(user(), ZONE, *others)


def bad(record: Document) -> Document:
    """The record with a value that nobody let in."""
    return replace(record, spec=record.spec.model_copy(update={"record_type": "A", "value": "nonsense"}))


def text(host: Host, some: Company) -> str:
    return host.survey(some).catalog.resources[FILE].content or ""


def test_a_part_has_nothing_of_its_own_and_is_in_its_whole() -> None:
    survey = Host().survey(world(WWW))
    assert 'www 3600 IN TXT "here"' in (survey.catalog.resources[FILE].content or "")
    assert WWW.uid not in survey.catalog.wanted_by.values()
    assert FILE in survey.catalog.outcomes[WWW.uid].keys


def test_it_is_ready_when_its_whole_is_and_of_nothing_more_is_written() -> None:
    host = Host()
    survey, conclusions = host.reconcile(world(WWW, MAIL))
    assert condition(conclusions[WWW.uid].status, "Ready").status
    assert not conclusions[WWW.uid].status.applied
    again, conclusions = host.reconcile(world(WWW, MAIL))
    assert not again.plan.changes
    written = changed_statuses(again.subject, conclusions)
    assert {WWW.uid, MAIL.uid}.isdisjoint(status.uid for status in written)
    assert survey.subject.documents.keys() == again.subject.documents.keys()


def test_what_its_whole_is_refused_is_told_on_it_too_and_only_the_whole_is_tried_again() -> None:
    host = Host()
    survey = host.survey(world(WWW))
    host.make(survey.plan, but={FILE})
    for result in ("refused", "failed"):
        conclusions = host.conclude(survey, host.applied(survey.plan, {FILE: Result(result, "nonsense")}))
        told = condition(conclusions[WWW.uid].status, "Ready")
        assert not told.status
        assert "nonsense" in told.message
        assert (conclusions[ZONE.uid].retry, conclusions[WWW.uid].retry) == (result == "failed", False)


def test_one_that_is_left_out_says_so_itself_and_the_others_are_served() -> None:
    host = Host()
    _, conclusions = host.reconcile(world(bad(WWW), MAIL))
    assert condition(conclusions[WWW.uid].status, "Ready").reason == "Invalid"
    assert condition(conclusions[ZONE.uid].status, "Ready").status
    assert condition(conclusions[MAIL.uid].status, "Ready").status
    assert "192.0.2.9" in text(host, world(bad(WWW), MAIL))


def test_a_whole_that_is_blocked_blocks_its_parts() -> None:
    blocked = replace(ZONE, spec=ZONE.spec.model_copy(update={"template": "missing"}))
    _, conclusions = Host().reconcile(company(user(), blocked, WWW))
    assert condition(conclusions[WWW.uid].status, "Blocked").reason == "TemplateMissing"


def test_a_deleted_one_is_forgotten_when_its_whole_is_without_it() -> None:
    host = host_with(world(WWW))
    gone = world(buried(WWW))
    survey = host.survey(gone)
    assert '"here"' not in (survey.catalog.resources[FILE].content or "")
    host.make(survey.plan)
    assert host.conclude(survey, host.applied(survey.plan))[WWW.uid].forget
    held = host.survey(company(user(), WWW, buried(ZONE)))
    assert held.catalog.outcomes[WWW.uid].keys == ()


def test_a_serial_is_remembered_before_it_is_published() -> None:
    host = Host()
    survey = host.survey(world(WWW))
    kept = remembered_ahead(survey)[ZONE.uid]
    assert kept["serial"] == 2026030101
    known = company(user(), replace(ZONE, kept=kept), WWW)
    assert remembered_ahead(host.survey(known)) == {}
    more = company(user(), replace(ZONE, kept=kept), WWW, MAIL)
    assert remembered_ahead(host.survey(more))[ZONE.uid]["serial"] == 2026030102


def test_parts_that_their_source_lost_are_held_back_with_the_change_of_their_whole() -> None:
    records = [part(ZONE, f"r{n}", name=f"r{n}", record_type="A", value="192.0.2.9") for n in range(5)]
    host = host_with(world(*records))
    survey = host.survey(world(*(buried(each, confirmed=False) for each in records)))
    documents = survey.subject.documents
    verdict = judge(survey.plan, documents, len(documents))
    assert not verdict.allowed
    held = hold_back(survey.plan, documents, verdict)
    assert not [change for change in held.changes if change.document == ZONE.uid]
    assert held.blocked[ZONE.uid][0].code == "HeldBack"
    assert judge(survey.plan, documents, 100).allowed


def test_a_dry_run_lays_parts_over_those_that_are_stored() -> None:
    stored = world(WWW, MAIL)
    documents = {d.uid: d for d in stored.documents}
    subject = Subject(TARGET, documents, stored.related, {}, 4, parts=stored.parts)
    changed = replace(WWW, spec=WWW.spec.model_copy(update={"value": "there"}))
    laid = with_overlay(subject, [changed, buried(MAIL)])
    assert laid.parts == {ZONE.uid: (changed,)}
    assert with_overlay(subject, [buried(WWW), buried(MAIL)]).parts == {ZONE.uid: ()}
    assert with_overlay(subject, [user(full_name="A")]).parts == stored.parts
