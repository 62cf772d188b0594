"""Sealed secrets: readable with the key alone, and carried over to a new one."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from state import vault
from state.access.tables import kept_answers, second_factors
from state.errors import Unreadable
from state.keys import keyring, retire, rotate
from tests.state.conftest import Company

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_what_is_sealed_is_read_back_with_its_key_and_with_no_other(tmp_path: Path) -> None:
    sealed = vault.seal(tmp_path, "sésame")
    assert "sésame" not in sealed
    assert vault.unseal(tmp_path, sealed) == "sésame"
    with pytest.raises(Unreadable, match="put back the key"):
        vault.unseal(tmp_path / "another", sealed)


def test_old_secrets_are_read_until_their_key_is_retired(tmp_path: Path) -> None:
    sealed = vault.seal_json(tmp_path, {"a": 1})
    rotate(tmp_path, "vault")
    assert vault.unseal_json(tmp_path, sealed) == {"a": 1}
    retire(tmp_path, "vault")
    with pytest.raises(Unreadable):
        vault.unseal_json(tmp_path, sealed)


def _store(company: Company, var: Path) -> None:
    uid = company.user("anna").uid
    factor = {"uid": uid, "secret": vault.seal(var, "S3CRET"), "enabled": True, "last_step": 0}
    answer = {
        "uid": uid,
        "key": "k",
        "request": "",
        "status": 200,
        "answer": vault.seal_json(var, {"token": "t"}),
    }
    with company.database.writing() as connection:
        connection.execute(insert(second_factors).values(factor | {"created_at": NOW}))
        connection.execute(insert(kept_answers).values(answer | {"created_at": NOW}))


def test_all_that_is_sealed_is_sealed_again_with_the_new_key(company: Company, tmp_path: Path) -> None:
    _store(company, tmp_path)
    rotate(tmp_path, "vault")
    with company.database.writing() as connection:
        assert vault.reseal(connection, tmp_path) == 2
    retire(tmp_path, "vault")
    with company.database.reading() as connection:
        secret = connection.execute(select(second_factors.c.secret)).scalar_one()
        answer = connection.execute(select(kept_answers.c.answer)).scalar_one()
    assert vault.unseal(tmp_path, secret) == "S3CRET"
    assert vault.unseal_json(tmp_path, answer) == {"token": "t"}


def test_with_a_key_missing_nothing_is_sealed_again(company: Company, tmp_path: Path) -> None:
    _store(company, tmp_path)
    keyring(tmp_path / "another", "vault")
    with pytest.raises(Unreadable), company.database.writing() as connection:
        vault.reseal(connection, tmp_path / "another")
    with company.database.reading() as connection:
        assert (
            vault.unseal(tmp_path, connection.execute(select(second_factors.c.secret)).scalar_one())
            == "S3CRET"
        )
