"""The second factor: set up, verified, asked for, usable once, and given up again."""

import re
from typing import Any
from xml.etree import ElementTree

import pyotp
import pytest
from sqlalchemy import select

from state.access.lockout import FREE
from state.access.tables import recovery_codes, second_factors
from state.journal.tables import audit
from tests.api.conftest import PASSWORD, World
from tests.state.conftest import at_once

_DOORS = "/auth/totp"


def _code(world: World, secret: str, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(world.clock(), counter_offset=steps)


def _next(world: World, secret: str) -> str:
    """A code of a step that was not used yet."""
    world.clock.jump(seconds=60)
    return _code(world, secret)


def _set_up(world: World, who: str = "anna") -> str:
    answer = world.call(who, "POST", f"{_DOORS}/setup", json={"password": PASSWORD})
    assert answer.status_code == 200, answer.json()
    return str(answer.json()["secret"])


def _enable(world: World, who: str = "anna") -> tuple[str, list[str]]:
    secret = _set_up(world, who)
    answer = world.call(who, "POST", f"{_DOORS}/verify", json={"code": _code(world, secret)})
    assert answer.status_code == 200, answer.json()
    return secret, list(answer.json()["recovery_codes"])


def _refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, str(answer.json()["details"]["code"])


WANTED, WRONG = (401, "two_factor_required"), (401, "bad_credentials")


def test_a_secret_comes_as_text_as_address_and_as_picture(world: World) -> None:
    made = world.call("anna", "POST", f"{_DOORS}/setup", json={"password": PASSWORD}).json()
    parsed = pyotp.parse_uri(made["otpauth_url"])
    assert isinstance(parsed, pyotp.TOTP)
    assert (parsed.secret, parsed.name, parsed.issuer) == (made["secret"], "anna", "GhostCP")
    assert re.fullmatch(r"[A-Z2-7]{32}", made["secret"])
    assert ElementTree.fromstring(made["qr_svg"]).tag == "svg"
    with world.database.reading() as connection:
        assert made["secret"] not in str(connection.execute(select(second_factors)).one())


def test_a_secret_counts_once_it_is_verified(world: World) -> None:
    secret = _set_up(world)
    assert world.login("anna").status_code == 200
    answer = world.call("anna", "POST", f"{_DOORS}/verify", json={"code": "000000"})
    assert _refusal(answer) == WRONG
    assert world.login("anna").status_code == 200
    answer = world.call("anna", "POST", f"{_DOORS}/verify", json={"code": _code(world, secret)})
    codes = answer.json()["recovery_codes"]
    assert (len(codes), len(set(codes))) == (10, 10)
    assert all(re.fullmatch(r"([a-z2-7]{4}-){3}[a-z2-7]{4}", each) for each in codes)
    assert _refusal(world.login("anna")) == WANTED


def test_a_later_set_up_takes_the_place_of_one_that_was_not_verified(world: World) -> None:
    first, second = _set_up(world), _set_up(world)
    assert first != second
    assert (
        _refusal(world.call("anna", "POST", f"{_DOORS}/verify", json={"code": _code(world, first)})) == WRONG
    )
    assert (
        world.call("anna", "POST", f"{_DOORS}/verify", json={"code": _code(world, second)}).status_code == 200
    )


def test_one_that_is_enabled_is_neither_replaced_nor_verified_again(world: World) -> None:
    secret, _ = _enable(world)
    again = world.call("anna", "POST", f"{_DOORS}/setup", json={"password": PASSWORD})
    assert _refusal(again) == (409, "two_factor_enabled")
    verified = world.call("anna", "POST", f"{_DOORS}/verify", json={"code": _next(world, secret)})
    assert _refusal(verified) == (409, "two_factor_enabled")


def test_without_a_set_up_there_is_nothing_to_verify_or_disable(world: World) -> None:
    assert world.call("anna", "POST", f"{_DOORS}/verify", json={"code": "123456"}).status_code == 404
    body = {"password": PASSWORD, "code": "123456"}
    assert world.call("anna", "POST", f"{_DOORS}/disable", json=body).status_code == 404


@pytest.mark.parametrize("door", ["setup", "disable"])
def test_a_session_alone_changes_no_second_factor(world: World, door: str) -> None:
    body = {"password": "a wrong guess"} | ({"code": "123456"} if door == "disable" else {})
    assert _refusal(world.call("anna", "POST", f"{_DOORS}/{door}", json=body)) == WRONG


def test_a_login_needs_a_code_and_each_code_is_good_once(world: World) -> None:
    secret, _ = _enable(world)
    assert _refusal(world.login("anna", code=_code(world, secret))) == WRONG
    code = _next(world, secret)
    assert _refusal(world.login("anna", "wrong password", code=code)) == WRONG
    assert world.login("anna", code=code).status_code == 200
    assert world.login("anna", code=code).content == world.login("anna", "wrong password").content


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 200), (0, 200), (1, 200), (2, 401)])
def test_a_code_is_good_one_step_to_either_side(world: World, steps: int, status: int) -> None:
    secret, _ = _enable(world)
    world.clock.jump(minutes=5)
    assert world.login("anna", code=_code(world, secret, steps)).status_code == status


def test_no_code_of_a_step_before_the_last_used_one_is_good(world: World) -> None:
    secret, _ = _enable(world)
    world.clock.jump(minutes=5)
    assert world.login("anna", code=_code(world, secret, 1)).status_code == 200
    assert _refusal(world.login("anna", code=_code(world, secret))) == WRONG


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "000000\n0", "a" * 64])
def test_what_is_no_code_is_refused(world: World, code: str) -> None:
    _enable(world)
    assert _refusal(world.login("anna", code=code)) == (WRONG if code else WANTED)


def test_a_code_may_be_written_in_groups(world: World) -> None:
    secret, _ = _enable(world)
    code = _next(world, secret)
    assert world.login("anna", code=f"{code[:3]} {code[3:]}").status_code == 200


def test_a_code_that_is_used_many_times_at_once_is_good_once(world_on_both: World) -> None:
    world = world_on_both
    secret, _ = _enable(world)
    code = _next(world, secret)
    statuses = at_once(*[lambda: world.login("anna", code=code).status_code] * 4)
    assert sorted(statuses) == [200, 401, 401, 401]


def test_a_recovery_code_stands_in_once_however_it_is_written(world: World) -> None:
    _, codes = _enable(world)
    assert world.login("anna", code=codes[0].replace("-", " ").upper()).status_code == 200
    assert _refusal(world.login("anna", code=codes[0])) == WRONG
    assert world.login("anna", code=codes[1]).status_code == 200
    with world.database.reading() as connection:
        kept = connection.execute(select(recovery_codes)).all()
    assert len([row for row in kept if row.used_at]) == 2
    assert not any(code in str(kept) or code.replace("-", "") in str(kept) for code in codes)


def test_a_recovery_code_that_is_used_many_times_at_once_is_good_once(world_on_both: World) -> None:
    world = world_on_both
    _, codes = _enable(world)
    statuses = at_once(*[lambda: world.login("anna", code=codes[0]).status_code] * 4)
    assert sorted(statuses) == [200, 401, 401, 401]


def test_anothers_recovery_code_is_worthless(world: World) -> None:
    _, codes = _enable(world)
    _enable(world, "bert")
    assert _refusal(world.login("bert", code=codes[0])) == WRONG


def test_guessing_codes_counts_and_asking_for_one_forgives_nothing(world: World) -> None:
    secret, _ = _enable(world)
    for _ in range(FREE):
        assert _refusal(world.login("anna", code="000000")) == WRONG
        world.login("anna", at="192.0.2.1")
    assert _refusal(world.login("anna", code=_code(world, secret))) == (429, "account_locked")
    world.clock.jump(seconds=61)
    assert _refusal(world.login("anna")) == WANTED
    assert world.login("anna", code=_code(world, secret)).status_code == 200


def test_a_suspended_user_is_told_so_after_both_factors(world: World) -> None:
    secret, _ = _enable(world)
    world.call("admin", "PUT", f"/users/{world.uids['anna']}", json={"is_suspended": True})
    assert _refusal(world.login("anna")) == WANTED
    assert _refusal(world.login("anna", code=_next(world, secret))) == (403, "account_suspended")


def test_a_new_password_needs_the_second_factor(world: World) -> None:
    secret, _ = _enable(world)
    body = {"current_password": PASSWORD, "new_password": "another one"}
    assert _refusal(world.call("anna", "POST", "/auth/password", json=body)) == WANTED
    body |= {"two_factor_code": "000000"}
    assert _refusal(world.call("anna", "POST", "/auth/password", json=body)) == WRONG
    body |= {"two_factor_code": _next(world, secret)}
    assert world.call("anna", "POST", "/auth/password", json=body).status_code == 200
    assert _refusal(world.login("anna", "another one")) == WANTED


@pytest.mark.parametrize("by", ["code", "recovery code"])
def test_disabling_needs_both_factors(world: World, by: str) -> None:
    secret, codes = _enable(world)
    for wrong in ({"password": "a wrong guess", "code": codes[0]}, {"password": PASSWORD, "code": "000000"}):
        assert _refusal(world.call("anna", "POST", f"{_DOORS}/disable", json=wrong)) == WRONG
    body = {"password": PASSWORD, "code": _next(world, secret) if by == "code" else codes[1]}
    assert world.call("anna", "POST", f"{_DOORS}/disable", json=body).status_code == 204
    assert world.login("anna").status_code == 200
    with world.database.reading() as connection:
        assert connection.execute(select(recovery_codes)).first() is None


def test_a_clock_that_was_ahead_does_not_keep_its_owner_out(world: World) -> None:
    secret, _ = _enable(world)
    world.clock.jump(days=1)
    assert world.login("anna", code=_code(world, secret)).status_code == 200
    world.clock.jump(days=-1, minutes=2)
    code = _code(world, secret)
    assert world.login("anna", code=code).status_code == 200
    assert _refusal(world.login("anna", code=code)) == WRONG


def test_a_deleted_user_leaves_no_second_factor(world_on_both: World) -> None:
    world = world_on_both
    _enable(world)
    assert world.call("admin", "DELETE", f"/users/{world.uids['anna']}").status_code == 204
    with world.database.reading() as connection:
        assert connection.execute(select(second_factors.c.uid)).first() is None
        assert connection.execute(select(recovery_codes.c.uid)).first() is None


def test_what_happens_to_it_is_in_the_audit_without_what_it_is(world: World) -> None:
    secret, codes = _enable(world)
    world.login("anna", code=codes[0])
    world.call("anna", "POST", f"{_DOORS}/disable", json={"password": PASSWORD, "code": codes[1]})
    with world.database.reading() as connection:
        rows = connection.execute(select(audit).where(audit.c.actor == "anna").order_by(audit.c.id)).all()
    told = [(row.action, row.before, row.after) for row in rows[1:]]
    assert told[0] == ("POST /auth/totp/setup", None, {"state": "set up"})
    assert told[1] == ("POST /auth/totp/verify", {"state": "set up"}, {"state": "enabled"})
    assert told[2][2]["second_factor"] == "recovery code"
    assert told[3] == ("POST /auth/totp/disable", {"state": "enabled"}, None)
    assert not any(each in str(rows) for each in (secret, *codes, PASSWORD))
