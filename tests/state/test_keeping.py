"""What the control plane remembers of a document, and its secrets: beside the spec, without a generation."""

from pathlib import Path

import pytest
from sqlalchemy import select

from state import keeping, reading, recording, vault
from state.document import Document
from state.errors import NotFound, Unreadable
from state.keys import retire, rotate
from state.resource import Secret
from state.tables import documents
from tests.state.conftest import Company, at_once


def _again(company: Company, document: Document) -> Document:
    with company.database.reading() as connection:
        return reading.get(connection, document.uid)


def test_what_is_remembered_is_read_with_the_document_and_makes_no_generation(company: Company) -> None:
    anna = company.user("anna")
    assert (anna.kept, anna.sealed) == ({}, None)
    with company.database.writing() as connection:
        keeping.keep(connection, anna.uid, {"serial": 1, "digest": "a"})
        keeping.keep_all(connection, {anna.uid: {"serial": 2, "digest": None}})
    found = _again(company, anna)
    assert (found.kept, found.generation) == ({"serial": 2}, anna.generation)
    changed = company.change(found, full_name="Anna")
    assert _again(company, changed).kept == {"serial": 2}


def test_two_that_remember_at_once_both_do(company: Company) -> None:
    anna = company.user("anna")

    def keep(name: str) -> None:
        with company.database.writing() as connection:
            keeping.keep(connection, anna.uid, {name: True})

    at_once(*(lambda name=name: keep(name) for name in ("a", "b", "c")))
    assert _again(company, anna).kept == {"a": True, "b": True, "c": True}


def test_nothing_is_remembered_of_what_is_not_there(company: Company, tmp_path: Path) -> None:
    for attempt in (
        lambda c: keeping.keep(c, "nobody", {"a": 1}),
        lambda c: keeping.put_away(c, tmp_path, "nobody", {"a": "1"}),
    ):
        with pytest.raises(NotFound), company.database.writing() as connection:
            attempt(connection)


def test_secrets_are_sealed_together_and_revealed_one_by_one(company: Company, tmp_path: Path) -> None:
    anna = company.user("anna")
    with company.database.writing() as connection:
        keeping.put_away(connection, tmp_path, anna.uid, {"key": "SESAME", "old": "x"})
        keeping.put_away(connection, tmp_path, anna.uid, {"other": "RADISH"})
        rotate(tmp_path, "vault")
        assert vault.reseal(connection, tmp_path) == 1
    retire(tmp_path, "vault")
    sealed = _again(company, anna).sealed
    assert sealed is not None
    assert "SESAME" not in sealed
    assert keeping.reveal(tmp_path, Secret(sealed, "key")) == "SESAME"
    assert keeping.reveal(tmp_path, Secret(sealed, "other")) == "RADISH"
    assert keeping.reveal(tmp_path, Secret(sealed, "third")) is None
    assert keeping.reveal(tmp_path / "another", Secret(sealed, "key")) is None


def test_with_a_key_missing_no_secret_is_lost(company: Company, tmp_path: Path) -> None:
    anna = company.user("anna")
    with company.database.writing() as connection:
        keeping.put_away(connection, tmp_path, anna.uid, {"key": "SESAME"})
    before = _again(company, anna).sealed
    with pytest.raises(Unreadable), company.database.writing() as connection:
        keeping.put_away(connection, tmp_path / "another", anna.uid, {"new": "x"})
    assert _again(company, anna).sealed == before


def test_a_touch_calls_for_a_look_at_the_document_and_at_what_refers_to_it(company: Company) -> None:
    anna = company.user("anna")
    site = company.site("anna.example", "anna")
    with company.database.writing() as connection:
        connection.execute(documents.update().values(pending=False))
        recording.touch(connection, anna)
    with company.database.reading() as connection:
        pending = set(connection.execute(select(documents.c.uid).where(documents.c.pending)).scalars())
    assert pending == {anna.uid, site.uid}
    assert _again(company, site).generation == site.generation
