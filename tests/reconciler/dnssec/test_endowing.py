"""Zones get the keys that they lack: once, sealed, and in a dry run others that are not kept."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from reconciler.dnssec.endowing import as_endowed, endow
from reconciler.lease import Contender, Lease
from reconciler.subject import Subject
from reconciler.survey import World
from state import reading, store
from state.database import Database
from state.dns.keys import KEY, known_key
from state.document import Document
from state.keeping import reveal
from state.kinds import KINDS
from state.resource import Secret, sha256
from tests.state.conftest import Company


@pytest.fixture
def company(database: Database) -> Company:
    made = Company(database)
    made.user("anna")
    return made


def world(company: Company, var: Path) -> World:
    return cast("World", SimpleNamespace(database=company.database, settings=SimpleNamespace(var=var)))


def zone(company: Company, name: str, **values: Any) -> Document:
    with company.database.writing() as connection:
        return store.create(connection, KINDS["DnsZone"], name, "anna", values, actor="test")


def subject(*documents: Document) -> Subject:
    return Subject("web1", {d.uid: d for d in documents}, {}, {})


def lease(company: Company) -> Lease:
    found = Contender(company.database).take("web1")
    assert found
    return found


def test_a_key_is_made_once_and_its_private_half_is_sealed(company: Company, tmp_path: Path) -> None:
    made = zone(company, "a.example", dnssec_enabled=True)
    held = lease(company)
    first = endow(world(company, tmp_path), held, subject(made)).documents[made.uid]
    key = known_key(first.kept)
    assert key
    assert first.sealed
    private = reveal(tmp_path, Secret(first.sealed, KEY))
    assert private
    assert sha256(private) == key.checksum
    assert "PrivateKey" not in str(first)
    with company.database.reading() as connection:
        stored = reading.get(connection, made.uid)
    assert (stored.kept, stored.sealed, stored.generation) == (first.kept, first.sealed, 1)
    again = subject(first)
    assert endow(world(company, tmp_path), held, again) is again


def test_who_is_not_to_be_signed_here_gets_none(company: Company, tmp_path: Path) -> None:
    several = subject(
        zone(company, "a.example"),
        zone(company, "b.example", dnssec_enabled=True, is_active=False),
        zone(company, "c.example", dnssec_enabled=True, dns_provider="elsewhere"),
        company.site("d.example", "anna"),
    )
    assert endow(world(company, tmp_path), lease(company), several) is several


def test_a_dry_run_makes_keys_that_nobody_keeps(company: Company, tmp_path: Path) -> None:
    made = zone(company, "a.example", dnssec_enabled=True)
    seen = as_endowed(world(company, tmp_path), subject(made)).documents[made.uid]
    key = known_key(seen.kept)
    assert key
    assert seen.sealed
    assert reveal(tmp_path, Secret(seen.sealed, KEY))
    with company.database.reading() as connection:
        assert reading.get(connection, made.uid) == made
