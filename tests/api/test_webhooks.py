"""Webhooks as REST objects: made, changed, listed and removed, with a secret that nobody sees again."""

import json
import logging
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from state.journal.tables import audit, deliveries, webhooks
from state.journal.webhooks import disable
from state.vault import unseal
from tests.api.conftest import World
from tests.state.conftest import at_once

URL = "https://203.0.114.1/hook"
SECRET = "webhook-secret-key"
WISH = {"url": URL, "events": ["user.created", "domain.ssl.renewed"], "secret": SECRET}


def create(world: World, who: str = "anna", **values: Any) -> httpx.Response:
    return world.call(who, "POST", "/webhooks", json={**WISH, **values})


def made(world: World, who: str = "anna", **values: Any) -> str:
    answer = create(world, who, **values)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def errors(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 422, answer.text
    return {each["field"]: each["message"] for each in answer.json()["details"]["errors"]}


def stored_secret(world: World, webhook: str) -> str:
    with world.database.reading() as connection:
        sealed = connection.execute(select(webhooks.c.secret).where(webhooks.c.id == webhook)).scalar_one()
    assert SECRET not in sealed
    return unseal(world.settings.var, sealed)


def test_one_is_made_and_its_secret_is_sealed(world_on_both: World) -> None:
    answer = create(world_on_both)
    shown = answer.json()
    assert answer.headers["Location"] == f"/api/v1/webhooks/{shown['id']}"
    assert (shown["is_active"], shown["disabled_reason"], shown["failing_since"]) == (True, None, None)
    assert shown["user_id"] == world_on_both.uids["anna"]
    assert world_on_both.call("anna", "GET", f"/webhooks/{shown['id']}").json() == shown
    assert stored_secret(world_on_both, shown["id"]) == SECRET


def test_a_secret_is_generated_and_shown_once(world: World) -> None:
    for wish in ({"secret": ""}, {"secret": None}, {}):
        body = {"url": URL, "events": ["job.failed"], **wish}
        shown = world.call("anna", "POST", "/webhooks", json=body).json()
        assert shown["secret"].startswith("whsec_")
        assert stored_secret(world, shown["id"]) == shown["secret"]
        assert "secret" not in world.call("anna", "GET", f"/webhooks/{shown['id']}").json()


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("secret", [{}, {"secret": ""}, {"secret": None}])
def test_an_absent_or_empty_secret_keeps_the_old_one(
    world: World, method: str, secret: dict[str, Any]
) -> None:
    hook = made(world)
    changed = world.call("anna", method, f"/webhooks/{hook}", json={"events": ["job.failed"], **secret})
    assert (changed.status_code, changed.json()["events"]) == (200, ["job.failed"])
    assert stored_secret(world, hook) == SECRET
    world.call("anna", method, f"/webhooks/{hook}", json={"secret": "another secret"})
    assert stored_secret(world, hook) == "another secret"


def test_a_secret_is_in_no_answer_log_or_audit(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    headers = {"Idempotency-Key": "once"}
    answers = [world.call("anna", "POST", "/webhooks", json=WISH, headers=headers) for _ in range(2)]
    hook = answers[0].json()["id"]
    answers += [
        world.call("anna", "PUT", f"/webhooks/{hook}", json={"secret": SECRET, "url": "no"}),
        world.call("anna", "PUT", f"/webhooks/{hook}?dry_run=true", json={"secret": SECRET}),
        world.call("anna", "PATCH", f"/webhooks/{hook}", json={"secret": SECRET}),
        world.call("anna", "POST", "/webhooks", json={**WISH, "secret": ["x", SECRET]}),
        world.call("anna", "POST", f"/webhooks/{hook}/ping"),
        world.call("anna", "GET", f"/webhooks/{hook}/deliveries"),
        world.call("anna", "GET", "/webhooks"),
        world.call("anna", "DELETE", f"/webhooks/{hook}"),
    ]
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    with world.database.reading() as connection:
        entries = [dict(row) for row in connection.execute(select(audit)).mappings()]
    assert {entry["object_type"] for entry in entries} >= {"webhook", "delivery"}
    everything = "".join(answer.text for answer in answers) + str(entries) + caplog.text
    assert SECRET not in everything


def test_faults_are_told_at_once(world: World) -> None:
    wish = {"url": "ftp://example.com", "events": ["user.exploded"], "secret": "short", "role": "admin"}
    found = errors(world.call("anna", "POST", "/webhooks", json=wish))
    assert set(found) == {"url", "events", "secret", "role"}
    assert "user.exploded" in found["events"]
    assert "ssl.certificate.renewed" in found["events"]
    assert errors(create(world, events=[])).keys() == {"events"}
    assert errors(create(world, secret="whsec_no-base64")).keys() == {"secret"}


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/",
        "http://127.0.0.1:8080/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/",
        "http://10.1.2.3/",
        "http://100.64.0.1/",
        "http://0.0.0.0/",
    ],
)
def test_what_is_not_public_is_refused_at_once(world: World, url: str) -> None:
    assert "not public" in errors(create(world, url=url))["url"]
    hook = made(world)
    assert "not public" in errors(world.call("anna", "PUT", f"/webhooks/{hook}", json={"url": url}))["url"]


def test_an_operator_may_allow_networks(own_world: World) -> None:
    own_world.open(webhook_networks=(ip_network("127.0.0.0/8"),))
    assert create(own_world, url="http://127.0.0.1:9000/").status_code == 201
    assert create(own_world, url="http://10.0.0.1/").status_code == 422


def test_a_user_has_so_many_and_no_more(world_on_both: World) -> None:
    answers = at_once(*[lambda: create(world_on_both) for _ in range(25)])
    assert sorted(answer.status_code for answer in answers) == [201] * 20 + [403] * 5
    refused = next(answer for answer in answers if answer.status_code == 403)
    assert refused.json()["details"]["code"] == "limit_reached"
    assert create(world_on_both, "bert").status_code == 201


def test_making_one_active_again_clears_what_was_held_against_it(world: World) -> None:
    hook = made(world)
    with world.database.writing() as connection:
        disable(connection, hook, "anna", "the receiver answered 410 Gone")
    shown = world.call("anna", "GET", f"/webhooks/{hook}").json()
    assert (shown["is_active"], shown["disabled_reason"]) == (False, "the receiver answered 410 Gone")
    listed = world.call("admin", "GET", "/webhooks?is_active=false&disabled_reason=").json()
    assert listed["total"] == 0
    world.call("anna", "PATCH", f"/webhooks/{hook}", json={"is_active": True})
    shown = world.call("anna", "GET", f"/webhooks/{hook}").json()
    assert (shown["is_active"], shown["disabled_reason"]) == (True, None)


def test_the_owner_cannot_be_changed(world: World) -> None:
    hook = made(world, "admin")
    same = world.call("admin", "PUT", f"/webhooks/{hook}", json={"user_id": world.uids["admin"]})
    other = world.call("admin", "PUT", f"/webhooks/{hook}", json={"user_id": world.uids["bert"]})
    assert same.status_code == 200
    assert errors(other).keys() == {"user_id"}


def test_they_are_listed_filtered_and_sorted(world_on_both: World) -> None:
    world = world_on_both
    made(world, "anna", url="https://203.0.114.1/a")
    made(world, "bert", url="https://203.0.114.1/b", is_active=False)
    made(world, "resi", url="https://203.0.114.1/c", user_id=world.uids["anna"])
    listed = world.call("admin", "GET", "/webhooks?sort=url&order=desc").json()
    assert [each["url"][-1] for each in listed["webhooks"]] == ["c", "b", "a"]
    assert world.call("admin", "GET", "/webhooks?is_active=false").json()["total"] == 1
    assert world.call("admin", "GET", "/webhooks?search=114.1/a").json()["total"] == 1
    assert world.call("resi", "GET", f"/webhooks?user_id={world.uids['anna']}").json()["total"] == 2
    assert world.call("anna", "GET", "/webhooks").json()["total"] == 2
    assert world.call("admin", "GET", "/webhooks?secret=x").status_code == 422


def test_what_is_removed_takes_its_deliveries_with_it(world_on_both: World) -> None:
    world = world_on_both
    hook = made(world)
    assert world.call("anna", "POST", f"/webhooks/{hook}/ping").status_code == 201
    assert world.call("anna", "DELETE", f"/webhooks/{hook}").status_code == 204
    assert world.call("anna", "GET", f"/webhooks/{hook}").status_code == 404
    with world.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(deliveries)).scalar_one() == 0


def test_a_user_that_is_deleted_leaves_no_webhook(world_on_both: World) -> None:
    world = world_on_both
    made(world)
    assert world.call("admin", "DELETE", f"/users/{world.uids['anna']}").status_code == 204
    assert world.call("admin", "GET", "/webhooks").json()["total"] == 0
    with world.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(webhooks)).scalar_one() == 0


def test_an_entity_tag_protects_from_overwriting(world: World) -> None:
    answer = create(world)
    hook, tag = answer.json()["id"], answer.headers["ETag"]
    path, change = f"/webhooks/{hook}", {"is_active": False}
    assert world.call("anna", "PUT", path, json=change, headers={"If-Match": tag}).status_code == 200
    assert world.call("anna", "PUT", path, json=change, headers={"If-Match": tag}).status_code == 412


def test_a_dry_run_makes_nothing(world: World) -> None:
    answer = world.call("anna", "POST", "/webhooks?dry_run=true", json={"url": URL, "events": ["job.failed"]})
    assert (answer.status_code, answer.json()["report"]["totals"]["documents"]) == (200, 1)
    assert "whsec_" not in json.dumps(answer.json())
    assert world.call("anna", "GET", "/webhooks").json()["total"] == 0
