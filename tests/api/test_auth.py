"""Who is asking: the tokens of a login, and what makes them worthless."""

from typing import Any

import jwt
import pytest
from sqlalchemy import select, update

from api.bearer import LIFETIME, LONGEST_SESSION
from state.journal.tables import audit
from state.keys import keyring, retire, rotate
from state.tables import documents
from tests.api.conftest import BASE, PASSWORD, World, queries
from tests.state.conftest import at_once


def _me(world: World, token: str) -> int:
    answer = world.http.get(f"{BASE}/auth/me", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code


def _claims(world: World, name: str = "admin") -> dict[str, Any]:
    return dict(jwt.decode(world.token(name), options={"verify_signature": False}))


def _signed(world: World, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, keyring(world.settings.var, "tokens")[0], "HS256")


def test_a_token_is_a_hs256_jwt_with_all_its_claims(world: World) -> None:
    token = world.token("admin")
    assert token.startswith("eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.")
    assert {"iss", "aud", "exp", "iat", "jti", "sub", "auth_time", "pwd"} == set(_claims(world))
    assert _claims(world)["sub"] == world.uids["admin"]


def test_without_a_token_one_is_not_known(world: World) -> None:
    answer = world.http.get(f"{BASE}/auth/me")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header", ["Basic YTpi", "Bearer", "Bearer ", "Bearer a.b.c", "Bearer ghostcp_", "x" * 9000]
)
def test_what_is_no_token_is_refused(world: World, header: str) -> None:
    assert world.http.get(f"{BASE}/auth/me", headers={"Authorization": header}).status_code == 401


@pytest.mark.parametrize("algorithm", ["none", "HS384", "HS512"])
def test_a_token_of_another_algorithm_is_refused(world: World, algorithm: str) -> None:
    key = None if algorithm == "none" else keyring(world.settings.var, "tokens")[0]
    assert _me(world, jwt.encode(_claims(world), key, algorithm=algorithm)) == 401


@pytest.mark.parametrize("said", ["none", "None", "HS384", "RS256", "ES256"])
def test_what_a_token_says_of_its_algorithm_changes_nothing(world: World, said: str) -> None:
    head, payload, _ = world.token("admin").split(".")
    lying = jwt.utils.base64url_encode(b'{"typ":"JWT","alg":"%s"}' % said.encode()).decode()
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    key = keyring(world.settings.var, "tokens")[0].encode()

    def signed(header: str) -> str:
        signature = algorithm.sign(f"{header}.{payload}".encode(), key)
        return f"{header}.{payload}.{jwt.utils.base64url_encode(signature).decode()}"

    assert _me(world, signed(head)) == 200
    assert _me(world, signed(lying)) == 401
    assert _me(world, f"{lying}.{payload}.") == 401


def test_a_token_signed_with_another_key_is_refused(world: World) -> None:
    assert _me(world, jwt.encode(_claims(world), "k" * 64, "HS256")) == 401


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "iat", "jti", "sub", "auth_time", "pwd"])
def test_a_token_that_lacks_a_claim_is_refused(world: World, claim: str) -> None:
    claims = _claims(world)
    del claims[claim]
    assert _me(world, _signed(world, claims)) == 401


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "another"},
        {"aud": "another"},
        {"sub": "4b7e5a3c-0000-4000-8000-000000000000"},
        {"pwd": 1},
        {"pwd": "1"},
        {"exp": "9999999999"},
        {"exp": 9e9},
        {"auth_time": None},
        {"iat": 9_999_999_999},
        {"nbf": 9_999_999_999},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_is_refused(world: World, changed: dict[str, Any]) -> None:
    assert _me(world, _signed(world, _claims(world))) == 200
    assert _me(world, _signed(world, {**_claims(world), **changed})) == 401


def test_a_token_is_written_in_one_way(world: World) -> None:
    token = world.token("admin")
    assert [_me(world, token + more) for more in ("", "=", "==")] == [200, 401, 401]


def _just_issued(world: World, name: str) -> str:
    """The user's token, at the time when it was issued."""
    world.clock.jump(seconds=_claims(world, name)["iat"] - world.clock().timestamp())
    return world.token(name)


def test_an_expired_token_says_so(world: World) -> None:
    token = _just_issued(world, "admin")
    world.clock.jump(seconds=LIFETIME.total_seconds() - 60)
    assert _me(world, token) == 200
    world.clock.jump(seconds=61)
    answer = world.http.get(f"{BASE}/auth/me", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["details"]["code"]) == (401, "token_expired")


def test_a_clock_that_goes_back_makes_no_token_live_longer(world: World) -> None:
    world.clock.jump(days=2)
    token = str(world.login("anna").json()["token"])
    world.clock.jump(minutes=-4)
    assert _me(world, token) == 200
    world.clock.jump(days=-2)
    assert _me(world, token) == 401
    assert world.login("anna").status_code == 200


def test_a_token_signed_with_an_older_key_is_believed_until_that_key_is_retired(own_world: World) -> None:
    world, token = own_world, own_world.token("admin")
    assert rotate(world.settings.var, "tokens") == 2
    assert _me(world, token) == 200
    newer = str(world.login("admin").json()["token"])
    assert retire(world.settings.var, "tokens") == 1
    assert (_me(world, token), _me(world, newer)) == (401, 200)


@pytest.mark.parametrize("change", [{"is_suspended": True}, {"is_active": False}])
def test_a_suspended_or_inactive_user_is_out_at_once(world: World, change: dict[str, bool]) -> None:
    site = world.site("bert.example", "bert")
    token = world.token("bert")
    assert _me(world, token) == 200
    world.call("admin", "PUT", f"/users/{world.uids['bert']}", json=change)
    assert _me(world, token) == 401
    assert world.call("bert", "PUT", f"/domains/{site.uid}", json={"aliases": []}).status_code == 401
    assert world.login("bert").status_code == 403
    assert world.login("bert", "wrong password").status_code == 401


def test_a_lifted_suspension_finds_the_sessions_again_that_have_not_ended(world: World) -> None:
    token, path = world.token("bert"), f"/users/{world.uids['bert']}"
    for suspended, status in ((True, 401), (False, 200)):
        world.call("admin", "PUT", path, json={"is_suspended": suspended})
        assert _me(world, token) == status
    world.call("admin", "PUT", path, json={"is_suspended": True})
    world.call("admin", "PUT", path, json={"password": "another password"})
    world.call("admin", "PUT", path, json={"is_suspended": False})
    assert _me(world, token) == 401
    again = str(world.login("bert", "another password").json()["token"])
    world.clock.jump(hours=12, seconds=1)
    assert _me(world, again) == 401


def test_a_deleted_user_is_out_at_once(world: World) -> None:
    token = world.token("bert")
    assert world.call("admin", "DELETE", f"/users/{world.uids['bert']}").status_code == 204
    assert _me(world, token) == 401
    assert world.login("bert").status_code == 401


def test_a_user_that_vanished_from_the_table_is_out(world: World) -> None:
    token = world.token("bert")
    with world.database.writing() as connection:
        row = documents.c.uid == world.uids["bert"]
        connection.execute(update(documents).where(row).values(kind="Package"))
    assert _me(world, token) == 401


def test_after_logging_out_the_token_is_worthless_and_others_are_not(world: World) -> None:
    token, other = world.token("bert"), str(world.login("bert").json()["token"])
    assert world.call("bert", "POST", "/auth/logout").status_code == 204
    assert (_me(world, token), _me(world, other)) == (401, 200)


def test_a_clock_that_ran_ahead_makes_no_token_good_again(world: World) -> None:
    token = world.token("bert")
    world.call("bert", "POST", "/auth/logout")
    world.clock.jump(days=10)
    other = str(world.login("anna").json()["token"])
    headers = {"Authorization": f"Bearer {other}"}
    assert world.http.post(f"{BASE}/auth/logout", headers=headers).status_code == 204
    world.clock.jump(days=-10)
    assert _me(world, token) == 401


def test_a_refreshed_token_goes_on_and_the_old_one_ends(world: World) -> None:
    _just_issued(world, "bert")
    world.clock.jump(hours=1)
    answer = world.call("bert", "POST", "/auth/refresh")
    assert answer.status_code == 200
    assert set(answer.json()) == {"token", "expires_at", "user"}
    assert answer.json()["user"]["username"] == "bert"
    token = answer.json()["token"]
    assert (_me(world, world.token("bert")), _me(world, token)) == (401, 200)
    old, new = (
        jwt.decode(each, options={"verify_signature": False}) for each in (world.token("bert"), token)
    )
    assert (new["auth_time"], new["exp"] - old["exp"]) == (old["auth_time"], pytest.approx(3600, abs=60))


def test_of_two_that_refresh_one_token_at_once_one_gets_another(world_on_both: World) -> None:
    world = world_on_both
    answers = at_once(*[lambda: world.call("bert", "POST", "/auth/refresh").status_code] * 4)
    assert sorted(answers) == [200, 401, 401, 401]


def test_a_session_ends_in_the_end_however_often_it_is_refreshed(world: World) -> None:
    token, began = _just_issued(world, "bert"), world.clock()
    for _ in range(40):
        world.clock.jump(seconds=LIFETIME.total_seconds() - 60)
        headers = {"Authorization": f"Bearer {token}"}
        answer = world.http.post(f"{BASE}/auth/refresh", headers=headers)
        if answer.status_code == 401:
            break
        token = answer.json()["token"]
    assert answer.json()["details"]["code"] == "token_expired"
    assert world.clock() - began < LONGEST_SESSION + LIFETIME
    expires = jwt.decode(token, options={"verify_signature": False})["exp"]
    assert expires - began.timestamp() == pytest.approx(LONGEST_SESSION.total_seconds(), abs=60)


def test_a_dry_run_of_a_log_out_ends_nothing(world: World) -> None:
    assert world.call("bert", "POST", "/auth/logout?dry_run=true").status_code == 200
    assert _me(world, world.token("bert")) == 200


def test_who_one_is_is_ones_user_object(world: World) -> None:
    me = world.call("anna", "GET", "/auth/me").json()
    assert me == world.call("admin", "GET", f"/users/{world.uids['anna']}").json()


def test_what_happens_to_sessions_is_in_the_audit_and_no_token_is(world: World) -> None:
    token = world.call("bert", "POST", "/auth/refresh").json()["token"]
    world.http.post(f"{BASE}/auth/logout", headers={"Authorization": f"Bearer {token}"})
    with world.database.reading() as connection:
        rows = connection.execute(select(audit).where(audit.c.actor == "bert").order_by(audit.c.id)).all()
    told = [(row.action, row.object_type, row.result, row.role) for row in rows]
    assert told == [
        ("POST /auth/login", "session", "done", "user"),
        ("POST /auth/refresh", "session", "done", "user"),
        ("POST /auth/logout", "session", "done", "user"),
    ]
    assert not any(secret in str(rows) for secret in (token, world.token("bert"), PASSWORD))
    assert rows[2].token == rows[1].object_id != rows[0].object_id


def test_believing_a_token_takes_one_query(world: World) -> None:
    with queries(world) as seen:
        assert world.call("bert", "GET", "/packages?page=0").status_code == 422
    assert len(seen) == 1
