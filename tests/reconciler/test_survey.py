"""What a pass is about, as the database holds it."""

from typing import Any

from reconciler.survey import pending_on
from state import store
from state.database import Database
from state.document import Document
from state.kinds import KINDS
from state.statuses import settle
from state.targets import list_hosts


def _company(database: Database) -> Document:
    """A user whose first day is over: nothing of it is pending."""
    with database.writing() as connection:
        list_hosts(connection, {"web1": "192.0.2.1"})
        store.create(connection, KINDS["Package"], "default", "", {}, actor="test")
        anna = store.create(connection, KINDS["User"], "anna", "", {"email": "a@example.com"}, actor="test")
        settle(connection, [anna])
    return anna


def _site(database: Database, name: str, **values: Any) -> Document:
    with database.writing() as connection:
        return store.create(connection, KINDS["WebDomain"], name, "anna", values, actor="test")


def _settled(database: Database) -> None:
    """What was pending was looked at."""
    reached = pending_on(database, "web1", 100).documents.values()
    with database.writing() as connection:
        settle(connection, reached)


def test_the_tombstone_in_the_way_of_a_new_name_joins_even_when_the_new_one_was_changed_already(
    database: Database,
) -> None:
    _company(database)
    old = _site(database, "example.com")
    with database.writing() as connection:
        store.remove(connection, old, actor="test")
    _settled(database)
    new = _site(database, "example.com")
    with database.writing() as connection:
        new = store.change(connection, new, {"aliases": ["www.example.com"]}, actor="test")
    assert new.generation == 2
    subject = pending_on(database, "web1", 100)
    assert subject.documents.keys() == subject.statuses.keys() == {old.uid, new.uid}


def test_deletions_in_doubt_are_counted_beyond_the_batch(database: Database) -> None:
    _company(database)
    sites = [_site(database, f"{n}.example.com") for n in range(4)]
    with database.writing() as connection:
        for number, each in enumerate(sites):
            store.remove(connection, each, actor="test", confirmed=number == 0)
    subject = pending_on(database, "web1", 2)
    assert (len(subject.documents), subject.total, subject.doubtful) == (2, 5, 3)
