"""Who is asking."""

import time

import jwt
import pytest
from sqlalchemy import update

from state import store
from state.secrets import set_password, signing_keys
from state.tables import documents
from tests.api.conftest import BASE, PASSWORD, World


def _me(world: World, token: str) -> int:
    answer = world.http.get(f"{BASE}/auth/me", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code


def test_a_login_answers_as_the_specification_shows(world: World) -> None:
    body = {"username": "admin", "password": PASSWORD, "two_factor_code": "123456"}
    answer = world.http.post(f"{BASE}/auth/login", json=body)
    assert answer.status_code == 200
    assert set(answer.json()) == {"token", "expires_at", "user"}
    user = {"id": world.uids["admin"], "username": "admin", "email": "admin@example.com", "role": "admin"}
    assert answer.json()["user"] == user
    assert answer.json()["expires_at"].endswith("Z")


def test_a_token_is_a_hs256_jwt_with_all_its_claims(world: World) -> None:
    token = world.token("admin")
    assert token.startswith("eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert {"iss", "aud", "exp", "iat", "jti", "sub"} <= set(claims)
    assert claims["sub"] == world.uids["admin"]


def test_a_wrong_name_and_a_wrong_password_are_answered_alike(world: World) -> None:
    wrong, unknown = world.login("admin", "wrong password"), world.login("nobody-here")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.content == unknown.content


def test_a_wrong_name_takes_as_long_as_a_wrong_password(world: World) -> None:
    world.login("nobody-here")

    def fastest(name: str) -> float:
        times = []
        for _ in range(5):
            start = time.process_time()
            world.login(name, "wrong password")
            times.append(time.process_time() - start)
        return min(times)

    assert 0.5 < fastest("nobody-here") / fastest("admin") < 2


def test_without_a_token_one_is_not_known(world: World) -> None:
    answer = world.http.get(f"{BASE}/auth/me")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("algorithm", ["none", "HS384", "HS512"])
def test_a_token_of_another_algorithm_is_refused(world: World, algorithm: str) -> None:
    claims = jwt.decode(world.token("admin"), options={"verify_signature": False})
    key = None if algorithm == "none" else signing_keys(world.settings.var)[0]
    assert _me(world, jwt.encode(claims, key, algorithm=algorithm)) == 401


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "iat", "jti", "sub", "pwd"])
def test_a_token_that_lacks_a_claim_is_refused(world: World, claim: str) -> None:
    claims = jwt.decode(world.token("admin"), options={"verify_signature": False})
    del claims[claim]
    assert _me(world, jwt.encode(claims, signing_keys(world.settings.var)[0], "HS256")) == 401


def test_a_token_signed_with_an_older_key_is_believed_until_that_key_is_gone(own_world: World) -> None:
    world, token = own_world, own_world.token("admin")
    path = world.settings.var / "keys" / "tokens"
    old = path.read_text()
    path.write_text("n" * 64 + "\n" + old)
    assert _me(world, token) == 200
    path.write_text("n" * 64 + "\n")
    assert _me(world, token) == 401


def test_an_expired_token_says_so(world: World) -> None:
    claims = jwt.decode(world.token("admin"), options={"verify_signature": False})
    token = jwt.encode({**claims, "exp": 1}, signing_keys(world.settings.var)[0], "HS256")
    answer = world.http.get(f"{BASE}/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["details"]["code"] == "token_expired"


@pytest.mark.parametrize("change", [{"is_suspended": True}, {"is_active": False}])
def test_a_suspended_or_inactive_user_is_out_at_once(world: World, change: dict[str, bool]) -> None:
    token = world.token("bert")
    assert _me(world, token) == 200
    world.call("admin", "PUT", f"/users/{world.uids['bert']}", json=change)
    assert _me(world, token) == 401
    assert world.login("bert").status_code == 403
    assert world.login("bert", "wrong password").status_code == 401


def test_a_deleted_user_is_out_at_once(world: World) -> None:
    token = world.token("bert")
    assert world.call("admin", "DELETE", f"/users/{world.uids['bert']}").status_code == 204
    assert _me(world, token) == 401
    assert world.login("bert").status_code == 401


def test_a_new_password_ends_the_tokens_of_the_old_one(world: World) -> None:
    token = world.token("bert")
    answer = world.call("bert", "PUT", f"/users/{world.uids['bert']}", json={"password": "another password"})
    assert answer.status_code == 200
    assert _me(world, token) == 401
    assert world.login("bert", "another password").status_code == 200


def test_after_logging_out_the_token_is_worthless(world: World) -> None:
    token = world.token("bert")
    assert world.call("bert", "POST", "/auth/logout").status_code == 204
    assert _me(world, token) == 401


def test_too_many_logins_a_minute_are_refused(own_world: World) -> None:
    statuses = [own_world.login("nobody-here").status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    assert int(own_world.login("nobody-here").headers["Retry-After"]) > 0
    assert own_world.call("anna", "GET", "/auth/me").status_code == 200


def test_who_one_is_is_ones_user_object(world: World) -> None:
    me = world.call("anna", "GET", "/auth/me").json()
    assert me == world.call("admin", "GET", f"/users/{world.uids['anna']}").json()


def test_a_login_with_faults_lists_them_all(world: World) -> None:
    answer = world.http.post(f"{BASE}/auth/login", json={"username": 1, "extra": True})
    fields = {each["field"] for each in answer.json()["details"]["errors"]}
    assert (answer.status_code, fields) == (422, {"username", "password", "extra"})


def test_a_user_that_vanished_from_the_table_is_out(world: World) -> None:
    token = world.token("bert")
    with world.database.writing() as connection:
        row = documents.c.uid == world.uids["bert"]
        connection.execute(update(documents).where(row).values(kind="Package"))
    assert _me(world, token) == 401


def test_a_password_set_elsewhere_lets_in(world: World) -> None:
    with world.database.writing() as connection:
        set_password(connection, world.uids["bert"], "set by the operator")
    assert world.login("bert", "set by the operator").status_code == 200
    assert store.KINDS["User"].password
