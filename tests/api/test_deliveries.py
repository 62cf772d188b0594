"""Deliveries as REST objects: listed, sent once more, and pinged."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, update

from state.journal.deliveries import new_delivery
from state.journal.event import message
from state.journal.tables import deliveries
from tests.api.conftest import World
from tests.api.test_webhooks import made


def deliver(world: World, hook: str, *statuses: str) -> list[str]:
    now, ids = datetime.now(UTC), []
    with world.database.writing() as connection:
        for number, status in enumerate(statuses, 1):
            body = message("job.failed", {"number": number}, now)
            row = {**new_delivery(hook, number, "job.failed", body, now), "status": status}
            connection.execute(insert(deliveries).values(**row))
            ids.append(str(row["id"]))
    return ids


def test_a_ping_is_a_delivery(world: World) -> None:
    hook = made(world)
    answer = world.call("anna", "POST", f"/webhooks/{hook}/ping")
    assert answer.status_code == 201
    place = answer.headers["Location"].removeprefix("/api/v1")
    assert world.call("anna", "GET", place).json() == answer.json()
    assert (answer.json()["event"], answer.json()["status"]) == ("webhook.ping", "pending")
    assert answer.json()["payload"]["data"] == {"id": hook}


@pytest.mark.parametrize("path", ["ping", "deliveries/{id}/redeliver"])
def test_nothing_is_sent_to_what_is_not_active(world: World, path: str) -> None:
    hook = made(world, is_active=False)
    delivery = deliver(world, hook, "failed")[0]
    answer = world.call("anna", "POST", f"/webhooks/{hook}/{path.format(id=delivery)}")
    assert (answer.status_code, answer.json()["details"]["code"]) == (409, "webhook_inactive")


def test_they_are_listed_and_filtered(world_on_both: World) -> None:
    world = world_on_both
    hook, other = made(world), made(world)
    deliver(world, hook, "delivered", "failed", "pending")
    deliver(world, other, "failed")
    path = f"/webhooks/{hook}/deliveries"
    listed = world.call("anna", "GET", path).json()
    assert (listed["total"], listed["page"], listed["limit"], listed["pages"]) == (3, 1, 20, 1)
    failed = world.call("anna", "GET", f"{path}?status=failed&event=job.failed").json()["deliveries"]
    assert [each["payload"]["data"]["number"] for each in failed] == [2]
    assert world.call("anna", "GET", f"{path}?webhook=x").status_code == 422


def test_one_is_due_again_with_its_old_id(world: World) -> None:
    hook = made(world)
    done = deliver(world, hook, "delivered")[0]
    with world.database.writing() as connection:
        connection.execute(update(deliveries).values(attempts=3, completed_at=datetime.now(UTC)))
    answer = world.call("anna", "POST", f"/webhooks/{hook}/deliveries/{done}/redeliver")
    assert answer.status_code == 200
    shown = world.call("anna", "GET", f"/webhooks/{hook}/deliveries/{done}").json()
    assert answer.json() == shown
    assert (shown["id"], shown["status"], shown["attempts"], shown["completed_at"]) == (
        done,
        "pending",
        0,
        None,
    )


def test_a_delivery_of_another_webhook_is_not_there(world: World) -> None:
    hook, other = made(world), made(world)
    delivery = deliver(world, other, "failed")[0]
    assert world.call("anna", "GET", f"/webhooks/{hook}/deliveries/{delivery}").status_code == 404
    assert world.call("anna", "POST", f"/webhooks/{hook}/deliveries/{delivery}/redeliver").status_code == 404
