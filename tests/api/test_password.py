"""Changing passwords: one's own with the current one, others' through the users door; what was issued before ends."""

import hashlib
from typing import Any

import pytest
from sqlalchemy import select

from state.access.lockout import FREE
from state.access.tables import kept_answers
from state.journal.tables import audit
from tests.api.conftest import BASE, PASSWORD, World
from tests.state.conftest import at_once

NEW = "battery staple"


def _change(world: World, who: str = "bert", **changed: Any) -> Any:
    body = {"current_password": PASSWORD, "new_password": NEW, **changed}
    return world.call(who, "POST", "/auth/password", json=body)


def _me(world: World, token: str) -> int:
    return world.http.get(f"{BASE}/auth/me", headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_new_password_ends_every_other_token_and_answers_with_one(world: World) -> None:
    mine, other = world.token("bert"), str(world.login("bert").json()["token"])
    answer = _change(world)
    assert answer.status_code == 200
    assert set(answer.json()) == {"token", "expires_at", "user"}
    assert [_me(world, each) for each in (mine, other, answer.json()["token"])] == [401, 401, 200]
    assert (world.login("bert").status_code, world.login("bert", NEW).status_code) == (401, 200)


def test_the_current_password_is_needed_and_guessing_it_counts(world: World) -> None:
    for _ in range(FREE):
        answer = _change(world, current_password="a wrong guess")
        assert (answer.status_code, answer.json()["details"]["code"]) == (401, "bad_credentials")
    answer = _change(world)
    assert (answer.status_code, answer.json()["details"]["code"]) == (429, "account_locked")
    world.clock.jump(seconds=1)
    assert _change(world).status_code == 200


@pytest.mark.parametrize("password", ["short", "x" * 1025, PASSWORD, None, 12345678, ""])
def test_a_new_password_that_is_none_is_refused(world: World, password: Any) -> None:
    answer = _change(world, new_password=password)
    assert (answer.status_code, answer.json()["details"]["errors"][0]["field"]) == (422, "new_password")
    assert world.login("bert").status_code == 200


def test_a_dry_run_changes_no_password_and_gives_no_token(world: World) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW}
    answer = world.call("bert", "POST", "/auth/password?dry_run=true", json=body)
    assert answer.status_code == 200
    assert "token" not in answer.json()
    assert [world.login("bert").status_code for _ in range(FREE + 1)] == [200] * (FREE + 1)


def test_of_two_changes_at_once_one_is_done(world_on_both: World) -> None:
    world = world_on_both
    answers = at_once(
        *(lambda new=new: _change(world, new_password=new) for new in ("first one", "second one"))
    )
    assert sorted(each.status_code for each in answers) == [200, 401]
    logins = [world.login("bert", each).status_code for each in ("first one", "second one")]
    assert sorted(logins) == [200, 401]


@pytest.mark.parametrize("who", ["admin", "resi", "anna"])
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_ones_own_password_is_not_changed_without_the_current_one(
    world: World, who: str, method: str
) -> None:
    answer = world.call(who, method, f"/users/{world.uids[who]}", json={"password": NEW})
    assert (answer.status_code, answer.json()["details"]["field"]) == (403, "password")
    assert world.login(who).status_code == 200


@pytest.mark.parametrize("who", ["admin", "resi"])
def test_who_manages_a_user_gives_it_a_password_which_ends_its_tokens(world: World, who: str) -> None:
    token = world.token("anna")
    answer = world.call(who, "PUT", f"/users/{world.uids['anna']}", json={"password": NEW})
    assert answer.status_code == 200
    assert (_me(world, token), world.login("anna", NEW).status_code) == (401, 200)


def test_changed_passwords_are_in_the_audit_and_never_told(world: World) -> None:
    _change(world)
    world.call("admin", "PUT", f"/users/{world.uids['anna']}", json={"password": NEW})
    _change(world, "resi", current_password="a wrong guess")
    query = select(audit).where(audit.c.action.in_(["POST /auth/password", "PUT /users/{id}"]))
    with world.database.reading() as connection:
        rows = connection.execute(query.order_by(audit.c.id)).all()
    assert [(row.actor, row.object_id, row.result) for row in rows] == [
        ("bert", world.uids["bert"], "done"),
        ("admin", world.uids["anna"], "done"),
        ("resi", "", "bad_credentials"),
    ]
    assert [row.after["password"] for row in rows[:2]] == ["********"] * 2
    assert not any(secret in str(rows) for secret in (NEW, PASSWORD, "a wrong guess", "argon2"))


def test_what_is_kept_of_a_request_is_no_hash_that_its_password_can_be_guessed_from(world: World) -> None:
    body = f'{{"username":"carl","email":"carl@example.com","password":"{NEW}"}}'.encode()
    headers = {"Idempotency-Key": "k1", "Content-Type": "application/json"}
    answer = world.call("admin", "POST", "/users", content=body, headers=headers)
    assert answer.status_code == 201
    with world.database.reading() as connection:
        kept = connection.execute(select(kept_answers.c.request)).scalar_one()
    guesses = (body, f"{BASE}/users?\n".encode() + body)
    assert kept not in {hashlib.sha256(each).hexdigest() for each in guesses}
