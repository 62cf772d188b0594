"""The three-way decision, case by case."""

from dataclasses import replace

import pytest

from reconciler.changes import Action, Cause, Change, Observation
from reconciler.compile import compile_documents
from reconciler.plan import make_plan, refuse
from state.compiling import Plane, Reason
from state.document import Refusal, Status
from state.resource import PLACEHOLDER, THUMBPRINT, Effect
from tests.reconciler.worlds import Host, catalog_of, converged, host_with
from tests.state.companies import FACTS, buried, company, document, site, templates, user, with_material

VHOST = "config:nginx/example.com.conf"
PAGE = "file:/home/anna/web/example.com/public_html/index.html"
ROOT = "directory:/home/anna/web/example.com/public_html"
ANNAS = company(user(), site())


def test_what_is_absent_is_created_in_the_order_of_making() -> None:
    survey = Host().survey(ANNAS)
    assert [c.key for c in survey.plan.changes] == list(survey.catalog.resources)
    assert {c.action for c in survey.plan.changes} == {Action.CREATE}


def test_what_drifted_is_updated_and_shows_what_was_found() -> None:
    host = host_with(ANNAS)
    host.there[ROOT]["mode"] = "0777"
    (change,) = host.survey(ANNAS).plan.changes
    assert (change.action, change.cause) == (Action.UPDATE, Cause.CORRECTIVE)
    assert change.fields == [("mode", "0777", "0755")]


SHOWN = "shown:example.com"
SECURE = company(
    user(),
    with_material(document("Certificate", "example.com", "anna", acme_provider=None)),
    site(ssl_enabled=True),
)


def test_the_certificate_that_is_shown_is_nobodys_and_never_deleted() -> None:
    host = Host()
    host.there[SHOWN] = {"sha256": "of another one", "valid_until": "2026-01-01T00:00:00Z"}
    plan = host.survey(SECURE).plan
    (change,) = [c for c in plan.changes if c.key == SHOWN]
    assert (plan.blocked, change.action, change.cause) == ({}, Action.UPDATE, Cause.INTENDED)
    host.reconcile(SECURE)
    host.there[SHOWN]["sha256"] = "of another one"
    (change,) = host.survey(SECURE).plan.changes
    assert (change.key, change.cause) == (SHOWN, Cause.CORRECTIVE)
    plain = company(user(), site())
    plan = host.survey(plain).plan
    assert SHOWN in plan.gone
    assert SHOWN not in {c.key for c in plan.changes}


def test_what_is_the_hosts_own_is_put_right_whoever_laid_it() -> None:
    documents = ANNAS.documents
    catalog = compile_documents(documents, ANNAS.related, FACTS, templates(), Plane("of our account"))
    found = {key: dict(resource.attributes) for key, resource in catalog.resources.items()}
    found[THUMBPRINT]["sha256"] = "of another account"
    statuses = converged(catalog, documents)
    (change,) = make_plan(catalog, Observation(found), statuses).changes
    assert (change.key, change.document, change.action) == (THUMBPRINT, "", Action.UPDATE)
    assert (change.service, change.cause) == ("nginx", Cause.CORRECTIVE)
    alone = Observation({}, extra={THUMBPRINT: {}, "config:nginx/other.conf": {}})
    assert make_plan(catalog_of(company()), alone, {}).unmanaged == ("config:nginx/other.conf",)


def test_a_placeholder_that_is_gone_is_made_anew_before_anything_of_its_web_server() -> None:
    host = host_with(ANNAS)
    host.there["service:nginx"] = {"active": False, "current": False}
    host.there[PLACEHOLDER] = None
    plan = host.survey(ANNAS).plan
    assert [(c.key, c.document, c.cause) for c in plan.changes] == [
        (PLACEHOLDER, "", Cause.CORRECTIVE),
        ("service:nginx", "", Cause.CORRECTIVE),
    ]
    host.reconcile(ANNAS)
    assert all(not status.repairs for status in host.statuses.values())
    host.there[PLACEHOLDER] = {"usable": False}
    (change,) = host.survey(ANNAS).plan.changes
    assert change.action is Action.UPDATE


def test_who_was_put_into_other_groups_has_drifted() -> None:
    """Inventories hold the digest of an account in none, from before groups were looked at as well."""
    host = host_with(ANNAS)
    host.there["account:anna"]["groups"] = "sudo"
    plan = host.survey(ANNAS).plan
    (change,) = plan.changes
    assert (plan.adopted, plan.blocked) == ((), {})
    assert (change.key, change.action, change.cause) == ("account:anna", Action.UPDATE, Cause.CORRECTIVE)
    assert change.fields == [("groups", "sudo", None)]
    host.reconcile(ANNAS)
    assert host.survey(ANNAS).plan.changes == ()


def test_what_vanished_is_created_again_as_a_correction() -> None:
    host = host_with(ANNAS)
    del host.there[VHOST]
    (change,) = host.survey(ANNAS).plan.changes
    assert (change.action, change.cause) == (Action.CREATE, Cause.CORRECTIVE)


def test_a_new_spec_is_an_intended_update() -> None:
    host = host_with(ANNAS)
    (change,) = host.survey(
        company(user(), site(backend_template="none", aliases=["www.example.com"]))
    ).plan.changes
    assert (change.key, change.action, change.cause) == (VHOST, Action.UPDATE, Cause.INTENDED)


def test_a_host_that_already_is_as_a_new_spec_wants_it_is_adopted_so_that_later_drift_is_seen_as_such() -> (
    None
):
    host = host_with(ANNAS)
    changed = company(user(), site(aliases=["www.example.com"]))
    host.there[VHOST] = dict(catalog_of(changed).resources[VHOST].attributes)
    assert host.reconcile(changed)[0].plan.adopted == (VHOST,)
    host.there[VHOST]["mode"] = "0600"
    (change,) = host.survey(changed).plan.changes
    assert change.cause is Cause.CORRECTIVE


def test_a_page_that_its_tenant_changed_or_deleted_is_left_alone() -> None:
    host = host_with(ANNAS)
    host.there[PAGE]["sha256"] = "of something else"
    assert host.survey(ANNAS).plan.changes == ()
    del host.there[PAGE]
    assert host.survey(ANNAS).plan.changes == ()


def test_a_page_that_stands_there_when_its_site_comes_is_adopted_as_it_is() -> None:
    host = Host({PAGE: {"owner": "anna", "group": "anna", "mode": "0600", "sha256": "of the tenant's"}})
    plan = host.survey(ANNAS).plan
    assert PAGE in plan.adopted
    assert PAGE not in [c.key for c in plan.changes]


def test_a_foreign_thing_that_differs_blocks_its_document_and_stays() -> None:
    host = Host({VHOST: {"owner": "root", "group": "root", "mode": "0644", "sha256": "of an operator's"}})
    survey = host.survey(ANNAS)
    assert [r.code for r in survey.plan.blocked["WebDomain/example.com"]] == ["Unmanaged"]
    assert VHOST not in [c.key for c in survey.plan.changes]


def test_nothing_is_made_inside_what_is_not_ours() -> None:
    host = Host({"directory:/home/anna": {"owner": "anna", "group": "anna", "mode": "0755"}})
    plan = host.survey(company(user())).plan
    codes = {r.message.split(" ")[0]: r.code for r in plan.blocked["User/anna"]}
    assert codes == {
        "directory:/home/anna": "Unmanaged",
        "directory:/home/anna/web": "Waiting",
        "directory:/home/anna/tmp": "Waiting",
    }
    assert [c.key for c in plan.changes] == ["account:anna"]


def test_something_else_in_a_things_place_blocks_with_what_to_do() -> None:
    host = host_with(ANNAS)
    host.there[ROOT] = {"obstructed": "symbolic link"}
    plan = host.survey(ANNAS).plan
    (reason,) = plan.blocked["WebDomain/example.com"]
    assert reason.code == "Obstructed"
    assert "symbolic link" in reason.message
    assert plan.changes == ()


def test_a_daemon_that_stands_still_is_always_set_right() -> None:
    host = host_with(ANNAS)
    host.there["service:nginx"] = {"active": False, "current": True}
    (change,) = host.survey(ANNAS).plan.changes
    assert (change.document, change.cause, change.service, change.effect) == (
        "",
        Cause.CORRECTIVE,
        "nginx",
        Effect.RELOAD,
    )


def test_what_a_validator_refused_is_not_tried_again_until_it_changes() -> None:
    host = host_with(ANNAS)
    changed = company(user(), site(aliases=["www.example.com"]))
    wanted = catalog_of(changed).resources[VHOST].digest
    uid = "WebDomain/example.com"
    host.statuses[uid] = replace(host.statuses[uid], refused={VHOST: Refusal(wanted, "nginx: duplicate")})
    plan = host.survey(changed).plan
    assert plan.changes == ()
    assert [(r.code, r.message) for r in plan.blocked[uid]] == [("Refused", f"{VHOST}: nginx: duplicate")]
    again = host.survey(company(user(), site(aliases=["other.example.com"]))).plan
    assert [c.key for c in again.changes] == [VHOST]


@pytest.mark.parametrize(("repairs", "contested"), [(2, False), (3, True), (4, True)])
def test_what_was_repaired_three_times_and_undone_is_contested(repairs: int, contested: bool) -> None:
    host = host_with(ANNAS)
    uid = "WebDomain/example.com"
    host.statuses[uid] = replace(host.statuses[uid], repairs={ROOT: repairs})
    host.there[ROOT]["mode"] = "0777"
    plan = host.survey(ANNAS).plan
    assert ([c.key for c in plan.changes] == []) is contested
    assert ([r.code for r in plan.blocked.get(uid, ())] == ["Contested"]) is contested


def test_a_new_spec_is_tried_however_often_it_was_repaired() -> None:
    host = host_with(ANNAS)
    uid = "WebDomain/example.com"
    host.statuses[uid] = replace(host.statuses[uid], repairs={VHOST: 9})
    assert [c.key for c in host.survey(company(user(), site(aliases=["w.example.com"]))).plan.changes] == [
        VHOST
    ]


def test_a_deleted_site_goes_configuration_first_then_folders_from_the_top() -> None:
    host = host_with(ANNAS)
    changes = host.survey(company(user(), buried(site()))).plan.changes
    assert [c.key for c in changes] == [VHOST, "directory:/home/anna/web/example.com", ROOT, PAGE]
    assert {(c.action, c.cause, c.after) for c in changes} == {(Action.DELETE, Cause.INTENDED, None)}


def test_what_a_deleted_document_has_lost_already_is_only_crossed_out() -> None:
    host = host_with(ANNAS)
    del host.there[VHOST]
    plan = host.survey(company(user(), buried(site()))).plan
    assert plan.gone == (VHOST,)
    assert VHOST not in [c.key for c in plan.changes]


def test_the_old_folders_of_a_living_site_are_left_to_its_tenant() -> None:
    host = host_with(ANNAS)
    moved = company(user(), site(document_root="/home/anna/web/example.com/dist"))
    plan = host.survey(moved).plan
    assert set(plan.gone) == {ROOT, PAGE}
    assert {c.action for c in plan.changes} == {Action.CREATE, Action.UPDATE}


def test_the_inventory_of_documents_that_are_not_looked_at_is_left_alone() -> None:
    host = host_with(ANNAS)
    survey = host.survey(company(user()))
    plan = make_plan(
        survey.catalog, Observation(host.there), {"elsewhere": Status("elsewhere", applied={VHOST: "x"})}
    )
    assert VHOST not in [c.key for c in plan.changes]
    assert VHOST not in plan.gone


def test_what_is_listed_and_neither_ours_nor_wanted_is_unmanaged() -> None:
    host = host_with(ANNAS)
    plan = host.survey(ANNAS, listed={"account:eve": {}, VHOST: {}, "config:nginx/a.conf": {}}).plan
    assert plan.unmanaged == ("account:eve", "config:nginx/a.conf")


def test_a_configurations_change_shows_the_difference_of_the_texts() -> None:
    host = host_with(ANNAS)
    old = catalog_of(ANNAS).resources[VHOST].content or ""
    survey = host.survey(company(user(), site(aliases=["www.example.com"])))
    observation = Observation(host.there, texts={VHOST: old})
    (change,) = make_plan(survey.catalog, observation, host.statuses).changes
    assert change.diff is not None
    assert "-    server_name example.com;\n+    server_name example.com www.example.com;\n" in change.diff


def test_a_deleted_configuration_shows_the_text_that_goes() -> None:
    host = host_with(ANNAS)
    survey = host.survey(company(user(), buried(site())))
    observation = Observation(host.there, texts={VHOST: "server {}\n"})
    change = make_plan(survey.catalog, observation, host.statuses).changes[0]
    assert change.diff == "--- before\n+++ after\n@@ -1 +0,0 @@\n-server {}\n"


def test_a_text_without_an_end_of_line_does_not_run_into_the_next() -> None:
    change = Change(Action.DELETE, "config:nginx/x", "", Cause.INTENDED, {}, None, text_before="a\nb")
    assert change.diff == "--- before\n+++ after\n@@ -1,2 +0,0 @@\n-a\n-b\n\\ No newline at end of file\n"


@pytest.mark.parametrize(
    ("key", "service", "effect"),
    [
        ("config:php8.4-fpm/a.conf", "php8.4-fpm", Effect.RELOAD),
        ("service:nginx", "nginx", Effect.RELOAD),
        (PLACEHOLDER, "nginx", Effect.NONE),
        ("directory:/home/anna", None, Effect.NONE),
    ],
)
def test_a_change_knows_the_daemon_that_has_to_take_notice(
    key: str, service: str | None, effect: Effect
) -> None:
    change = Change(Action.DELETE, key, "", Cause.INTENDED, {}, None)
    assert (change.service, change.effect, change.diff) == (service, effect, None)


def test_what_needs_a_refused_one_that_is_not_there_waits_and_is_not_tried() -> None:
    host, chain, uid = Host(), "config:nginx/tls/example.com.crt", "Certificate/example.com"
    wanted = catalog_of(SECURE).resources[chain].digest
    host.statuses[uid] = Status(uid, refused={chain: Refusal(wanted, "nginx: key values mismatch")})
    plan = host.survey(SECURE).plan
    assert [r.code for r in plan.blocked[uid]] == ["Refused"]
    assert {r.message.split(" ")[0]: r.code for r in plan.blocked["WebDomain/example.com"]} == {
        VHOST: "Waiting",
        SHOWN: "Waiting",
    }
    assert not {c.key for c in plan.changes if c.type in {"config", "shown"}}


PHP = company(user(), site(backend_template="PHP-8.4"))
POOL = "config:php8.4-fpm/example.com.conf"


def test_of_two_configurations_that_fit_each_other_none_changes_when_one_was_refused() -> None:
    host = host_with(ANNAS)
    uid = "WebDomain/example.com"
    wanted = catalog_of(PHP).resources[POOL].digest
    host.statuses[uid] = replace(host.statuses[uid], refused={POOL: Refusal(wanted, "php-fpm: no")})
    plan = host.survey(PHP).plan
    assert [c.key for c in plan.changes] == ["service:php8.4-fpm"]
    assert [r.code for r in plan.blocked[uid]] == ["Refused"]


def test_what_a_validator_refuses_in_a_dry_run_is_blocked_with_all_configurations_of_its_document() -> None:
    plan = Host().survey(company(user(), site(backend_template="PHP-8.4"), site("b.example"))).plan
    refused = refuse(plan, {POOL: "php-fpm: no"})
    assert {c.key for c in plan.changes} - {c.key for c in refused.changes} == {POOL, VHOST}
    assert refused.blocked == {"WebDomain/example.com": (Reason("Refused", f"{POOL}: php-fpm: no"),)}
    assert refuse(plan, {}) == plan


def test_a_page_is_not_laid_into_a_folder_in_which_a_tenant_lives() -> None:
    there = {k: v for k, v in host_with(ANNAS).there.items() if k.startswith("directory:")}
    plan = Host(there).survey(ANNAS).plan
    assert PAGE not in {c.key for c in plan.changes}
    assert PAGE in plan.adopted
