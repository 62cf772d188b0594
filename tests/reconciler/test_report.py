"""A plan as data: complete, exact and serialisable."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.changes import Action
from reconciler.guard import Verdict, judge
from reconciler.report import VERSION, failed_report, target_report, whole_report
from state.report import as_markdown, as_text, totals_line
from tests.reconciler.test_plan_laws import histories, strange_hosts
from tests.reconciler.worlds import Host, host_with
from tests.state.companies import LAW, Company, company, document, site, user, with_material


def _report(host: Host, some: Company, **listed: Any) -> dict[str, Any]:
    survey = host.survey(some, listed=listed)
    documents = survey.subject.documents
    verdict = judge(survey.plan, documents, len(documents))
    return target_report("web1", survey.plan, documents, survey.held, verdict, survey.warnings)


@LAW
@given(strange_hosts(), histories(), st.text(max_size=30))
def test_the_totals_always_add_up(one: tuple[Host, Company], two: tuple[Host, Company], error: str) -> None:
    parts = [_report(*one), _report(*two), failed_report("web3", error)]
    report = whole_report(parts, [])
    totals = report["totals"]
    changes = [change for part in parts for change in part["changes"]]
    for action in Action:
        assert totals[action.value] == len([c for c in changes if c["action"] == action.value])
    for name in ("blocked", "unmanaged", "adopted"):
        assert totals[name] == sum(len(part[name]) for part in parts)
    assert totals["resources"] == totals["unchanged"] + totals["adopted"] + len(changes)
    assert report["guard"]["allowed"] is all(part["guard"]["allowed"] for part in parts)


@LAW
@given(histories(), histories())
def test_a_report_is_json_and_can_be_read_in_both_forms(
    one: tuple[Host, Company], two: tuple[Host, Company]
) -> None:
    report = whole_report([_report(*one), _report(*two)], [])
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert totals_line(report) in as_text(report)
    assert totals_line(report) in as_markdown(report)


def test_a_change_tells_whose_it_is_why_what_and_with_what_effect() -> None:
    host = host_with(company(user(), site()))
    vhost = "config:nginx/example.com.conf"
    host.there[vhost]["mode"] = "0600"
    (change,) = _report(host, company(user(), site()))["changes"]
    assert {k: v for k, v in change.items() if k != "diff"} == {
        "action": "update",
        "kind": "WebDomain",
        "document": "example.com",
        "owner": "anna",
        "resource": vhost,
        "cause": "corrective",
        "effect": "reload",
        "service": "nginx",
        "fields": [{"field": "mode", "before": "0600", "after": "0644"}],
    }


def test_a_daemon_is_the_hosts_own() -> None:
    host = host_with(company(user(), site()))
    del host.there["service:nginx"]
    (change,) = _report(host, company(user(), site()))["changes"]
    assert (change["kind"], change["document"], change["owner"]) == ("Host", "", "")


def test_documents_that_cannot_be_had_and_things_that_stand_in_the_way_are_blocked() -> None:
    host = Host({"config:nginx/b.example.conf": {"mode": "0600"}})
    some = company(user(), site("a.example", web_template="missing"), site("b.example"))
    report = _report(host, some, **{"account:eve": {}})
    assert [(b["document"], b["reason"]) for b in report["blocked"]] == [
        ("a.example", "TemplateMissing"),
        ("b.example", "Unmanaged"),
    ]
    assert report["unmanaged"] == ["account:eve"]
    assert report["error"] is None


def test_what_will_be_otherwise_than_one_might_think_is_a_warning() -> None:
    some = company(user(), site("a.example", ssl_enabled=True))
    (told,) = _report(host_with(some), some)["warnings"]
    assert (told["kind"], told["document"], told["reason"]) == ("WebDomain", "a.example", "NoCertificate")


def test_a_wish_that_has_no_effect_is_a_warning_although_all_is_secured() -> None:
    own = with_material(document("Certificate", "a.example", "anna", acme_provider=None))
    some = company(user(), own, site("a.example", ssl_enabled=True, letsencrypt_enabled=True))
    (told,) = _report(host_with(some), some)["warnings"]
    assert (told["kind"], told["document"], told["reason"]) == ("WebDomain", "a.example", "NoEffect")
    assert "or delete it" in told["message"]


def test_a_target_that_could_not_be_looked_at_says_why_and_counts_for_nothing() -> None:
    report = whole_report([failed_report("web1", "does not answer")], [{"kind": "User"}])
    assert report["version"] == VERSION
    assert report["targets"][0]["error"] == "does not answer"
    assert report["totals"] == {**dict.fromkeys(report["totals"], 0), "documents": 1}


def test_the_guards_refusals_of_all_targets_stand_together() -> None:
    host, some = host_with(company()), company()
    survey = host.survey(some)
    parts = [
        target_report(name, survey.plan, survey.subject.documents, {}, Verdict(not why, why))
        for name, why in (("web1", "too many"), ("web2", ""), ("web3", "far too many"))
    ]
    assert whole_report(parts, [])["guard"] == {"allowed": False, "message": "too many; far too many"}
