"""Events: told with the transaction or not at all, to those whom they concern."""

from contextlib import suppress

from sqlalchemy import select

from state import store
from state.database import Database
from state.journal.tables import events
from tests.state.conftest import Company


def _told(database: Database) -> list[tuple[str, str, str]]:
    with database.reading() as connection:
        rows = connection.execute(select(events).order_by(events.c.id)).all()
    return [(row.event, row.owner, row.manager) for row in rows]


def test_each_write_is_told_with_its_owner_and_who_manages_them(company: Company) -> None:
    company.user("resi", role="reseller")
    anna = company.user("anna", "resi")
    site = company.site("a.example", "anna")
    company.change(site, aliases=["www.a.example"])
    company.remove(anna)
    assert _told(company.database)[1:] == [
        ("user.created", "resi", ""),
        ("user.created", "anna", "resi"),
        ("domain.created", "anna", "resi"),
        ("domain.updated", "anna", "resi"),
        ("domain.deleted", "anna", "resi"),
        ("user.deleted", "anna", "resi"),
    ]


def test_what_changes_nothing_is_not_told(company: Company) -> None:
    anna = company.user("anna")
    before = _told(company.database)
    company.change(anna, email="anna@example.com")
    assert _told(company.database) == before


def test_what_is_rolled_back_or_only_rehearsed_is_not_told(company: Company) -> None:
    anna = company.user("anna")
    before = _told(company.database)
    with company.database.rehearsing() as connection:
        store.remove(connection, anna, actor="test")
    with suppress(LookupError), company.database.writing() as connection:
        store.remove(connection, anna, actor="test")
        raise LookupError
    assert _told(company.database) == before
