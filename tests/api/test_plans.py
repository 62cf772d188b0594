"""Dry runs of single writes, of everything, and of posted sets of documents."""

from typing import Any

import pytest
from sqlalchemy import func, select

from state.document import Ref
from state.plans import answer, get_plan, take_plan
from state.reading import by_uid, find
from state.tables import documents, revisions
from state.targets import list_hosts
from tests.api.conftest import World, report_of


def _posted(kind: str, name: str, spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name, **metadata}, "spec": spec or {}}


def _site(name: str, owner: str = "anna", **spec: Any) -> dict[str, Any]:
    return _posted("WebDomain", name, spec, owner=owner)


def _plan(world: World, who: str = "admin", **body: Any) -> dict[str, Any]:
    made = world.call(who, "POST", "/plans?wait=20", json=body)
    assert made.status_code == 201, made.text
    return dict(made.json())


def _count(world: World) -> tuple[int, int]:
    with world.database.reading() as connection:
        counts = [
            connection.execute(select(func.count()).select_from(t)).scalar_one()
            for t in (documents, revisions)
        ]
    return counts[0], counts[1]


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("method", "path", "body", "action"),
    [
        ("POST", "/domains", {"domain": "new.example"}, "create"),
        ("PUT", "/domains/{site}", {"ssl_force": True}, "update"),
        ("PATCH", "/domains/{site}", {"ssl_force": True}, "update"),
        ("DELETE", "/domains/{site}", None, "delete"),
    ],
)
def test_a_dry_run_answers_with_the_plan_and_stores_nothing(
    world: World, method: str, path: str, body: Any, action: str
) -> None:
    site = world.site("anna.example", "anna")
    before = _count(world)
    answer = world.call("anna", method, f"{path.format(site=site.uid)}?dry_run=true", json=body)
    assert answer.status_code == 200, answer.text
    assert [each["action"] for each in answer.json()["report"]["documents"]] == [action]
    assert _count(world) == before


@pytest.mark.usefixtures("worker")
def test_a_dry_run_shows_what_would_change_field_by_field(world: World) -> None:
    site = world.site("anna.example", "anna")
    answer = world.call("anna", "PUT", f"/domains/{site.uid}?dry_run=true", json={"ssl_force": True})
    fields = answer.json()["report"]["documents"][0]["fields"]
    assert fields == [{"field": "ssl_force", "before": False, "after": True}]


@pytest.mark.usefixtures("worker")
def test_a_tenants_report_tells_nothing_of_others(world: World) -> None:
    answer = world.call("anna", "POST", "/domains?dry_run=true", json={"domain": "new.example"})
    part = answer.json()["report"]["targets"][0]
    assert [each["document"] for each in part["changes"]] == ["new.example"]
    assert part["unmanaged"] == []


@pytest.mark.usefixtures("worker")
def test_a_dry_run_that_cannot_be_is_refused_like_the_write(world: World) -> None:
    assert world.call("anna", "POST", "/domains?dry_run=true", json={"domain": "com"}).status_code == 422


def test_a_dry_run_that_nobody_answers_says_to_start_a_worker(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.rehearsal.PATIENCE", 0.1)
    answer = world.call("anna", "POST", "/domains?dry_run=true", json={"domain": "new.example"})
    assert (answer.status_code, answer.json()["details"]["code"]) == (504, "no_worker")
    assert "start" in answer.json()["error"]


@pytest.mark.usefixtures("worker")
def test_an_empty_plan_is_about_everything_as_stored(world: World) -> None:
    answer = world.call("admin", "POST", "/plans?wait=20")
    assert answer.status_code == 201
    assert answer.json()["report"]["documents"] == []


@pytest.mark.usefixtures("worker")
def test_a_posted_set_is_planned_and_then_applied(world: World) -> None:
    posted = [_site("two.example"), _site("one.example"), _posted("Package", "big", {"disk_quota": 5})]
    plan = _plan(world, documents=posted)
    assert plan["report"]["guard"] == {"allowed": True, "message": ""}
    answer = world.call("admin", "POST", f"/plans/{plan['id']}/apply")
    assert answer.status_code == 200, answer.text
    made = {(each["kind"], each["name"], each["generation"]) for each in answer.json()["documents"]}
    assert made == {("WebDomain", "one.example", 1), ("WebDomain", "two.example", 1), ("Package", "big", 1)}


@pytest.mark.usefixtures("worker")
def test_a_plan_that_was_overtaken_is_stale(world: World) -> None:
    site = world.site("anna.example", "anna")
    plan = _plan(world, documents=[_site("anna.example", ssl_force=True)])
    world.call("anna", "PUT", f"/domains/{site.uid}", json={"ssl_hsts": True})
    answer = world.call("admin", "POST", f"/plans/{plan['id']}/apply")
    assert (answer.status_code, answer.json()["details"]["code"]) == (409, "stale_plan")


@pytest.mark.usefixtures("worker")
def test_a_plan_to_create_what_is_there_meanwhile_is_stale(world: World) -> None:
    plan = _plan(world, documents=[_site("anna.example")])
    world.site("anna.example", "anna")
    assert world.call("admin", "POST", f"/plans/{plan['id']}/apply").status_code == 409


def test_a_plan_without_a_report_is_not_applied(world: World) -> None:
    made = world.call("admin", "POST", "/plans", json={"documents": [_site("anna.example")]}).json()
    answer = world.call("admin", "POST", f"/plans/{made['id']}/apply")
    assert (answer.status_code, answer.json()["details"]["code"]) == (409, "plan_not_ready")


def test_an_empty_set_prunes_nothing(world: World) -> None:
    assert world.call("admin", "POST", "/plans", json={"documents": [], "prune": True}).status_code == 422


@pytest.mark.usefixtures("worker")
def test_pruning_deletes_what_is_not_posted(world: World) -> None:
    gone, kept = world.site("gone.example", "anna"), world.site("kept.example", "anna")
    plan = _plan(world, documents=[_site("kept.example")], prune=True)
    answer = world.call("admin", "POST", f"/plans/{plan['id']}/apply")
    assert answer.status_code == 200, answer.text
    with world.database.reading() as connection:
        row = connection.execute(select(documents).where(documents.c.uid == gone.uid)).one()
        assert row.deleted_at is not None
        assert row.confirmed is False
        left = find(connection, Ref("WebDomain", "kept.example"))
        assert left is not None
        assert left.uid == kept.uid


@pytest.mark.usefixtures("worker")
def test_pruning_stays_with_the_owner_it_was_asked_for(world: World) -> None:
    world.site("bert.example", "bert")
    world.site("anna.example", "anna")
    plan = _plan(world, documents=[_site("new.example")], prune=True, owner="anna")
    deleted = [d["name"] for d in plan["report"]["documents"] if d["action"] == "delete"]
    assert deleted == ["anna.example"]


@pytest.mark.usefixtures("worker")
def test_a_document_that_came_after_the_plan_is_not_pruned(world: World) -> None:
    world.site("gone.example", "anna")
    plan = _plan(world, documents=[_site("kept.example")], prune=True)
    world.site("late.example", "anna")
    assert world.call("admin", "POST", f"/plans/{plan['id']}/apply").status_code == 200
    with world.database.reading() as connection:
        assert find(connection, Ref("WebDomain", "late.example")) is not None


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(("allow", "status"), [(0, 409), (3, 409), (4, 200)])
def test_many_deletions_are_blocked_unless_their_number_is_said(
    world: World, allow: int, status: int
) -> None:
    for i in range(4):
        world.site(f"gone{i}.example", "anna")
    plan = _plan(world, documents=[_site("kept.example")], prune=True, allow_deletes=allow)
    assert plan["report"]["guard"]["allowed"] is (status == 200)
    answer = world.call("admin", "POST", f"/plans/{plan['id']}/apply")
    assert answer.status_code == status
    if status == 409:
        assert answer.json()["details"]["code"] == "plan_blocked"


@pytest.mark.usefixtures("worker")
def test_deletions_whose_number_was_said_are_confirmed_in_the_plan_and_in_the_tombstones(
    world: World,
) -> None:
    gone = [world.site(f"gone{i}.example", "anna").uid for i in range(4)]
    body = {"documents": [_site("kept.example")], "prune": True, "allow_deletes": 4}
    plan = _plan(world, **body)
    with world.database.reading() as connection:
        overlay = get_plan(connection, plan["id"]).request["overlay"]
    assert {each["uid"] for each in overlay if each["deleted"] and each["confirmed"]} == set(gone)
    assert world.call("admin", "POST", f"/plans/{plan['id']}/apply").status_code == 200
    with world.database.reading() as connection:
        assert all(each.deleted and each.confirmed for each in by_uid(connection, gone))


@pytest.mark.usefixtures("worker")
def test_a_reseller_is_pruned_after_its_users(world: World) -> None:
    owners = [
        ("zoe", "reseller", ""),
        ("yan", "user", "zoe"),
        ("abe", "reseller", ""),
        ("ada", "user", "abe"),
    ]
    for name, role, owner in owners:
        world.user(name, owner=owner, role=role)
    plan = _plan(world, documents=[_posted("User", "bert", {"email": "bert@example.com"})], prune=True)
    deleted = [d["name"] for d in plan["report"]["documents"] if d["action"] == "delete"]
    assert deleted.index("yan") < deleted.index("zoe")
    assert deleted.index("ada") < deleted.index("abe")


@pytest.mark.usefixtures("worker")
def test_pruning_never_deletes_who_asks(world: World) -> None:
    spec = {"email": "bert@example.com"}
    plan = _plan(world, documents=[_posted("User", "bert", spec)], prune=True, allow_deletes=10)
    deleted = {d["name"] for d in plan["report"]["documents"] if d["action"] == "delete"}
    assert "admin" not in deleted


def test_all_faults_of_a_set_are_told_with_their_place(world: World) -> None:
    posted = [_site("com"), _site("ok.example", nonsense=1), _site("x.example", owner="nobody-here")]
    answer = world.call("admin", "POST", "/plans", json={"documents": posted})
    fields = {each["field"] for each in answer.json()["details"]["errors"]}
    assert fields == {"documents.0.metadata.name", "documents.1.spec.nonsense", "documents.2.metadata.owner"}


@pytest.mark.parametrize(
    ("document", "status"),
    [
        (_site("x.example", owner="bert"), 422),
        (_posted("Package", "mine"), 403),
        (_posted("User", "carl", {"email": "c@example.com"}), 403),
        (_posted("User", "anna", {"email": "anna@example.com", "disk_quota": 0}), 403),
    ],
)
def test_a_set_does_nothing_that_the_routes_do_not(
    world: World, document: dict[str, Any], status: int
) -> None:
    assert world.call("anna", "POST", "/plans", json={"documents": [document]}).status_code == status


@pytest.mark.parametrize(
    ("who", "host", "status"),
    [("admin", "web1", 201), ("admin", "web9", 404), ("admin", "web2", 422), ("anna", "web1", 403)],
)
def test_a_host_that_a_document_cannot_have_is_refused(
    world: World, who: str, host: str, status: int
) -> None:
    with world.database.writing() as connection:
        list_hosts(connection, {"web1": "192.0.2.1", "web2": "192.0.2.2"})
    site = _site("new.example", owner="anna")
    site["metadata"]["host"] = host
    for path, body in (("/plans", {"documents": [site]}), ("/documents", site)):
        answer = world.call(who, "POST", path, json=body)
        assert answer.status_code == status, path
        if status == 422:
            assert answer.json()["details"]["errors"][0]["field"].endswith("metadata.host")


def test_anothers_plan_is_not_there(world: World) -> None:
    made = world.call("admin", "POST", "/plans").json()
    assert world.call("anna", "GET", f"/plans/{made['id']}").status_code == 404
    assert world.call("anna", "POST", f"/plans/{made['id']}/apply").status_code == 404


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("media", ["text/plain", "text/markdown"])
def test_a_plan_can_be_read_as_text(world: World, media: str) -> None:
    plan = _plan(world, documents=[_site("new.example")])
    answer = world.call("admin", "GET", f"/plans/{plan['id']}", headers={"Accept": media})
    assert answer.headers["Content-Type"].startswith(media)
    assert "new.example" in answer.text


def test_exported_documents_posted_back_change_nothing(world: World) -> None:
    world.site("anna.example", "anna")
    exported = world.call("admin", "GET", "/documents").json()["documents"]
    world.call("admin", "POST", "/plans", json={"documents": exported})
    with world.database.writing() as connection:
        plan = take_plan(connection)
        assert plan is not None
        answer(connection, plan.id, "ready", report_of(plan.request))
    assert plan.request["documents"] == []


def test_a_set_with_a_name_that_is_taken_says_which_document_it_is(world: World) -> None:
    world.site("taken.example", "bert")
    body = {"documents": [_site("free.example"), _site("other.example", aliases=["taken.example"])]}
    answer = world.call("anna", "POST", "/plans", json=body)
    assert (answer.status_code, answer.json()["details"]["code"]) == (409, "domain_taken")
    assert answer.json()["details"]["errors"] == [{"field": "documents.1", "message": answer.json()["error"]}]
