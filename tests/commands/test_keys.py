"""What the machine's operator does to keys, second factors and the administrator's password."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyotp
import pytest
from sqlalchemy import select

from commands.administrator import ensure_administrator, password_file
from state import vault
from state.access import second_factors
from state.access.attempts import is_known
from state.access.secrets import keep_verifier, kept_verifier, matches, verifier
from state.access.tables import second_factors as factors
from state.database import Database
from state.document import Ref
from state.journal.tables import audit
from state.journal.verifying import verify
from state.keys import keyring
from state.reading import find
from state.settings import settings
from tests.commands.conftest import Run

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """An installation with an administrator, which commands find."""
    monkeypatch.setenv("GHOSTCP_VAR", str(tmp_path))
    settings.cache_clear()
    made = Database(settings().database)
    made.migrate()
    ensure_administrator(made, tmp_path)
    yield made
    made.close()
    settings.cache_clear()


def _admin(database: Database) -> str:
    with database.reading() as connection:
        found = find(connection, Ref("User", "admin"))
    assert found is not None
    return found.uid


def _enable(database: Database, var: Path) -> str:
    """A second factor of the administrator: its secret."""
    with database.writing() as connection:
        secret = second_factors.set_up(connection, var, _admin(database), NOW)
        code = pyotp.TOTP(secret).at(NOW)
        assert second_factors.enable(connection, var, _admin(database), code, NOW)
    return secret


def _audited(database: Database, var: Path) -> list[tuple[str, str, Any]]:
    with database.reading() as connection:
        assert verify(connection, var).faults == ()
        rows = connection.execute(select(audit).order_by(audit.c.id)).all()
    return [(row.action, row.object_id, row.after) for row in rows]


@pytest.mark.parametrize("ring", ["tokens", "vault"])
def test_a_key_is_rotated_and_the_old_one_retired(
    run: Run, database: Database, tmp_path: Path, ring: str
) -> None:
    old = keyring(tmp_path, ring)
    assert run("keys", "rotate", ring).status == 0
    assert keyring(tmp_path, ring)[1:] == old
    assert "1 older keys are dropped" in run("keys", "retire", ring).out
    assert len(keyring(tmp_path, ring)) == 1
    assert keyring(tmp_path, ring) != old
    told = [("ghostcp keys rotate", ring, {"keys": 2}), ("ghostcp keys retire", ring, {"keys": 1})]
    assert _audited(database, tmp_path)[-2:] == told


def test_what_is_sealed_outlives_the_key_that_it_was_sealed_with(
    run: Run, database: Database, tmp_path: Path
) -> None:
    secret = _enable(database, tmp_path)
    assert [run("keys", verb, "vault").status for verb in ("rotate", "retire")] == [0, 0]
    with database.reading() as connection:
        sealed = connection.execute(select(factors.c.secret)).scalar_one()
    assert vault.unseal(tmp_path, sealed) == secret


def test_with_a_key_missing_none_is_retired(run: Run, database: Database, tmp_path: Path) -> None:
    _enable(database, tmp_path)
    (tmp_path / "keys" / "vault").unlink()
    keyring(tmp_path, "vault")
    run("keys", "rotate", "vault")
    ended = run("keys", "retire", "vault")
    assert (ended.status, "put back the key" in ended.err) == (1, True)
    assert len(keyring(tmp_path, "vault")) == 2


@pytest.mark.parametrize("ring", ["audit", "nothing"])
def test_other_keys_are_not_rotated(run: Run, database: Database, ring: str) -> None:
    assert run("keys", "rotate", ring).status == 1


def test_keys_of_zones_are_renewed_and_that_is_in_the_audit(
    run: Run, database: Database, tmp_path: Path
) -> None:
    assert "0 zones have new keys" in run("keys", "renew").out
    assert _audited(database, tmp_path)[-1] == ("ghostcp keys renew", "transfers", {"keys": 0})
    ended = run("keys", "renew", "none.example")
    assert (ended.status, "'none.example' is no zone" in ended.err) == (1, True)


def test_who_lost_the_second_factor_is_let_in_by_the_operator(
    run: Run, database: Database, tmp_path: Path
) -> None:
    _enable(database, tmp_path)
    assert run("disable-totp", "admin").status == 0
    with database.reading() as connection:
        assert not second_factors.is_enabled(connection, _admin(database))
    assert _audited(database, tmp_path)[-1] == ("ghostcp disable-totp", _admin(database), None)
    ended = run("disable-totp", "admin")
    assert (ended.status, "no user 'admin' with a second factor" in ended.err) == (1, True)


def test_who_is_kept_waiting_is_let_in_from_an_address_by_the_operator(
    run: Run, database: Database, tmp_path: Path
) -> None:
    assert run("know-address", "admin", "2001:db8::1").status == 0
    with database.reading() as connection:
        assert is_known(connection, "admin", "2001:db8::/64", datetime.now(UTC))
    shown = {"address": "2001:db8::/64"}
    assert _audited(database, tmp_path)[-1] == ("ghostcp know-address", _admin(database), shown)
    for name, address, words in (
        ("nobody", "192.0.2.1", "no user 'nobody'"),
        ("admin", "here", "'here' is no"),
    ):
        ended = run("know-address", name, address)
        assert (ended.status, words in ended.err) == (1, True)


def _is_password(database: Database, password: str) -> bool:
    with database.reading() as connection:
        return matches(kept_verifier(connection, _admin(database))[0], password)


def test_setting_the_administrators_password_is_in_the_audit(database: Database, tmp_path: Path) -> None:
    first = password_file(tmp_path).read_text().strip()
    assert _is_password(database, first)
    hidden = {"name": "admin", "password": "********"}
    assert _audited(database, tmp_path) == [("ghostcp admin", _admin(database), hidden)]


def test_the_first_password_does_not_come_back_once_another_was_chosen(
    run: Run, database: Database, tmp_path: Path
) -> None:
    with database.writing() as connection:
        keep_verifier(connection, _admin(database), verifier("chosen since"))
    assert run("admin").status == 0
    assert _is_password(database, "chosen since")
    password_file(tmp_path).unlink()
    assert str(password_file(tmp_path)) in run("admin").out
    assert _is_password(database, password_file(tmp_path).read_text().strip())


def test_the_operator_sets_the_password_by_the_environment(run: Run, database: Database) -> None:
    assert run("admin", GHOSTCP_ADMIN_PASSWORD="set by the operator").status == 0
    assert _is_password(database, "set by the operator")
