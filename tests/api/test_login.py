"""Logging in: what is told, what is not, and how failures make one wait."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from state.access import secrets
from state.access.attempts import KNOWN, MOST_KNOWN, is_known, vouch
from state.access.lockout import FREE, LONGEST_OWN, LONGEST_SHARED
from state.access.secrets import set_password
from state.errors import Conflict
from state.journal.tables import audit
from state.tables import credentials
from tests.api.conftest import BASE, PASSWORD, World
from tests.state.conftest import at_once

WRONG = "wrong password"


def _code(answer: Any) -> str:
    return str(answer.json()["details"]["code"])


def _fail(world: World, name: str, times: int, at: str) -> None:
    """So many failures, each as soon as it is allowed."""
    for _ in range(times):
        answer = world.login(name, WRONG, at=at)
        if answer.status_code == 429:
            world.clock.jump(seconds=int(answer.headers["Retry-After"]))
            answer = world.login(name, WRONG, at=at)
        assert answer.status_code == 401


def test_a_login_answers_with_a_token_and_whose_it_is(world: World) -> None:
    answer = world.login("admin")
    assert set(answer.json()) == {"token", "expires_at", "user"}
    user = {"id": world.uids["admin"], "username": "admin", "email": "admin@example.com", "role": "admin"}
    assert answer.json()["user"] == user


def test_a_login_with_faults_lists_them_all(world: World) -> None:
    answer = world.http.post(f"{BASE}/auth/login", json={"username": 1, "extra": True})
    fields = {each["field"] for each in answer.json()["details"]["errors"]}
    assert (answer.status_code, fields) == (422, {"username", "password", "extra"})


@pytest.mark.parametrize("query", ["dry_run=true", "wait=1", "username=admin"])
def test_a_login_has_no_parameters(world: World, query: str) -> None:
    body = {"username": "anna", "password": PASSWORD}
    assert world.http.post(f"{BASE}/auth/login?{query}", json=body).status_code == 422


def test_a_wrong_name_and_a_wrong_password_are_answered_alike(world: World) -> None:
    wrong, unknown = world.login("admin", WRONG), world.login("nobody-here")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.content == unknown.content


def test_a_name_that_nobody_has_costs_a_hash_like_any_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "_decoy", lambda: "no verifier: whoever looks at it fails")
    assert world.login("nobody-here").status_code == 500
    assert world.login("anna", WRONG).status_code == 401


def test_a_suspended_user_costs_a_hash_like_any_other(world: World) -> None:
    world.call("admin", "PUT", f"/users/{world.uids['bert']}", json={"is_suspended": True})
    with world.database.writing() as connection:
        row = credentials.c.uid == world.uids["bert"]
        connection.execute(update(credentials).where(row).values(verifier="whoever looks at it fails"))
    assert world.login("bert").status_code == 500


def test_that_one_is_suspended_is_told_to_who_knows_the_password(world: World) -> None:
    world.call("admin", "PUT", f"/users/{world.uids['bert']}", json={"is_suspended": True})
    assert world.login("bert", WRONG).content == world.login("nobody-here", WRONG).content
    answer = world.login("bert")
    assert (answer.status_code, _code(answer)) == (403, "account_suspended")


def test_a_password_set_elsewhere_lets_in(world: World) -> None:
    with world.database.writing() as connection:
        set_password(connection, world.uids["bert"], "set by the operator")
    assert world.login("bert", "set by the operator").status_code == 200


@pytest.mark.parametrize("name", ["anna", "nobody-here"])
def test_failures_make_one_wait_longer_each_time(world: World, name: str) -> None:
    attacker, waits = "203.0.113.5", []
    for _ in range(FREE):
        assert world.login(name, WRONG, at=attacker).status_code == 401
    for _ in range(5):
        refused = world.login(name, WRONG, at=attacker)
        assert (refused.status_code, _code(refused)) == (429, "account_locked")
        waits.append(int(refused.headers["Retry-After"]))
        world.clock.jump(seconds=waits[-1])
        assert world.login(name, WRONG, at=attacker).status_code == 401
    assert waits == [1, 2, 4, 8, 16]


def test_who_has_to_wait_is_not_let_in_by_the_right_password_nor_made_to_wait_longer(world: World) -> None:
    attacker = "203.0.113.5"
    _fail(world, "anna", FREE + 4, attacker)
    waits = [int(world.login("anna", at=attacker).headers["Retry-After"]) for _ in range(10)]
    assert set(waits) <= {15, 16}
    world.clock.jump(seconds=16)
    assert world.login("anna", at=attacker).status_code == 200


def test_no_attacker_keeps_the_owner_from_where_it_has_been_before(world: World) -> None:
    assert world.login("anna", at="198.51.100.7").status_code == 200
    for number in range(50):
        _fail(world, "anna", 1, f"203.0.113.{number}")
    assert world.login("anna", at="203.0.113.1").status_code == 429
    assert world.login("anna", at="198.51.100.7").status_code == 200


def test_who_never_logged_in_is_let_in_while_attacked_by_who_manages_them(world: World) -> None:
    for number in range(30):
        _fail(world, "anna", 1, f"203.0.113.{number}")
    home, known = "2001:db8:1:2::7", f"/users/{world.uids['anna']}/known-addresses"
    assert world.login("anna", at=home).status_code == 429
    made = world.call("resi", "POST", known, json={"address": home})
    assert (made.status_code, made.json()["address"]) == (200, "2001:db8:1:2::/64")
    until = datetime.fromisoformat(made.json()["known_until"])
    assert timedelta() <= world.clock() + KNOWN - until < timedelta(minutes=5)
    assert world.login("anna", at="198.51.100.9").status_code == 429
    assert world.login("anna", at=home).status_code == 200


@pytest.mark.parametrize("address", ["198.51.100.0/24", "home", "", "1" * 46, None])
def test_what_is_no_address_is_not_made_known(world: World, address: str | None) -> None:
    known = f"/users/{world.uids['anna']}/known-addresses"
    answer = world.call("admin", "POST", known, json={"address": address})
    assert (answer.status_code, answer.json()["details"]["errors"][0]["field"]) == (422, "address")


def test_an_account_has_so_many_known_addresses(world_on_both: World) -> None:
    world, now = world_on_both, world_on_both.clock()
    with world.database.writing() as connection:
        for number in range(MOST_KNOWN):
            vouch(connection, "carl", f"198.51.100.{number}", now)
        vouch(connection, "carl", "198.51.100.0", now)
        with pytest.raises(Conflict, match="known addresses"):
            vouch(connection, "carl", "203.0.113.1", now)
        vouch(connection, "carl", "203.0.113.1", now + KNOWN)


def test_an_attacker_waits_longer_than_the_owner_who_comes_from_a_new_place(world: World) -> None:
    _fail(world, "anna", 30, "203.0.113.5")
    wait = int(world.login("anna", at="203.0.113.5").headers["Retry-After"])
    assert wait == pytest.approx(LONGEST_OWN.total_seconds(), abs=2)
    world.clock.jump(seconds=LONGEST_SHARED.total_seconds() + 1)
    assert world.login("anna", at="203.0.113.5").status_code == 429
    assert world.login("anna", at="198.51.100.9").status_code == 200


def test_one_network_is_one_address(world: World) -> None:
    for number in range(FREE):
        assert world.login("anna", WRONG, at=f"2001:db8:1:2::{number}").status_code == 401
    assert world.login("anna", WRONG, at="2001:db8:1:2:ffff::1").status_code == 429


def test_a_login_makes_its_address_known_and_forgets_its_failures(world: World) -> None:
    with world.database.reading() as connection:
        assert not is_known(connection, "anna", "198.51.100.7", world.clock())
    _fail(world, "anna", FREE - 1, "198.51.100.7")
    assert world.login("anna", at="198.51.100.7").status_code == 200
    with world.database.reading() as connection:
        assert is_known(connection, "anna", "198.51.100.7", world.clock())
        assert not is_known(connection, "anna", "198.51.100.7", world.clock().replace(year=2999))
    _fail(world, "anna", FREE - 1, "198.51.100.7")
    assert world.login("anna", at="198.51.100.7").status_code == 200


def test_many_tries_at_once_are_no_more_than_many_one_after_the_other(world_on_both: World) -> None:
    world, attacker = world_on_both, "203.0.113.5"
    tries = [lambda: world.login("anna", WRONG, at=attacker).status_code] * (3 * FREE)
    statuses = at_once(*tries)
    assert (statuses.count(401), statuses.count(429)) == (FREE, 2 * FREE)


def test_logging_in_often_and_at_once_is_no_failure(world_on_both: World) -> None:
    world = world_on_both
    statuses = at_once(*[lambda: world.login("anna").status_code] * FREE)
    assert statuses == [200] * FREE
    assert [world.login("anna").status_code for _ in range(FREE + 1)] == [200] * (FREE + 1)


def test_a_clock_that_goes_back_keeps_nobody_waiting_for_it(world: World) -> None:
    world.clock.jump(days=30)
    _fail(world, "anna", FREE + 2, "203.0.113.5")
    world.clock.jump(days=-30)
    assert 1 <= int(world.login("anna", at="203.0.113.5").headers["Retry-After"]) <= 4
    world.clock.jump(seconds=4)
    assert world.login("anna", at="203.0.113.5").status_code == 200


def test_a_clock_that_jumps_forgives_no_failure(world: World) -> None:
    _fail(world, "anna", FREE + 6, "203.0.113.5")
    world.clock.jump(hours=5)
    assert world.login("anna", WRONG, at="203.0.113.5").status_code == 401
    assert int(world.login("anna", WRONG, at="203.0.113.5").headers["Retry-After"]) > 60
    world.clock.jump(hours=-5)
    assert int(world.login("anna", WRONG, at="203.0.113.5").headers["Retry-After"]) > 60


def test_what_was_long_ago_is_forgotten(world: World) -> None:
    _fail(world, "bert", FREE + 6, "203.0.113.5")
    world.clock.jump(days=2)
    assert world.login("anna").status_code == 200
    assert [world.login("bert", WRONG, at="203.0.113.5").status_code for _ in range(FREE)] == [401] * FREE


def test_a_new_user_of_an_old_name_inherits_no_known_address(world: World) -> None:
    assert world.login("anna", at="198.51.100.7").status_code == 200
    assert world.call("admin", "DELETE", f"/users/{world.uids['bert']}").status_code == 204
    with world.database.reading() as connection:
        assert not is_known(connection, "bert", "198.51.100.7", world.clock())


def test_every_login_is_in_the_audit_with_its_outcome_and_no_password(world: World) -> None:
    long = "n" * 64
    for name in ("anna", long, "nobody\u2028here"):
        world.login(name, WRONG, at="2001:db8::7")
    _fail(world, "anna", FREE - 1, "2001:db8::7")
    world.login("anna", at="2001:db8::7")
    world.login("anna", at="198.51.100.7")
    with world.database.reading() as connection:
        rows = connection.execute(
            select(audit).where(audit.c.address != "127.0.0.1").order_by(audit.c.id)
        ).all()
    told = [(row.actor, row.result, row.object_id, row.address) for row in rows]
    assert told[:3] == [(n, "bad_credentials", "", "2001:db8::7") for n in ("anna", long, "nobody\u2028here")]
    assert told[-2][:2] == ("anna", "account_locked")
    assert {row.action for row in rows} == {"POST /auth/login"}
    assert not any(secret in str(rows) for secret in (WRONG, PASSWORD))
    assert rows[-1].result == "account_locked"
    world.clock.jump(seconds=2)
    assert world.login("anna", at="198.51.100.7").status_code == 200


def test_too_many_logins_a_minute_are_refused(own_world: World) -> None:
    statuses = [own_world.login("nobody-here").status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    assert int(own_world.login("nobody-here").headers["Retry-After"]) > 0
    assert own_world.call("anna", "GET", "/auth/me").status_code == 200


def test_fifty_addresses_against_one_account_keep_its_owner_neither_waiting_nor_out(own_world: World) -> None:
    assert own_world.login("anna", at="198.51.100.7").status_code == 200
    statuses = [own_world.login("anna", WRONG, at=f"203.0.113.{number}").status_code for number in range(50)]
    assert (statuses.count(401), statuses.count(429)) == (4, 46)
    assert own_world.login("anna", at="198.51.100.7").status_code == 200
