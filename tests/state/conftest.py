"""A small hosting company to test the store with."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import Connection, select

from state import store
from state.database import Database
from state.document import Document
from state.kinds import KINDS
from state.reading import from_row
from state.tables import documents
from state.targets import list_hosts

Outcome = Document | Exception


class Company:
    """Short ways to write documents, each in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.writing() as connection:
            list_hosts(connection, {"web1": "192.0.2.1", "web2": "192.0.2.2"})
            store.create(connection, KINDS["Package"], "default", "", {}, actor="setup")

    def user(self, name: str, owner: str = "", **values: Any) -> Document:
        with self.database.writing() as connection:
            return self.user_in(connection, name, owner, **values)

    def user_in(self, connection: Connection, name: str, owner: str = "", **values: Any) -> Document:
        spec = {"email": f"{name}@example.com", **values}
        return store.create(connection, KINDS["User"], name, owner, spec, actor="test")

    def site(self, name: str, owner: str, **values: Any) -> Document:
        with self.database.writing() as connection:
            return store.create(connection, KINDS["WebDomain"], name, owner, values, actor="test")

    def certificate(self, name: str, owner: str, **values: Any) -> Document:
        with self.database.writing() as connection:
            return store.create(connection, KINDS["Certificate"], name, owner, values, actor="test")

    def zone(self, name: str, owner: str, **values: Any) -> Document:
        with self.database.writing() as connection:
            return store.create(connection, KINDS["DnsZone"], name, owner, values, actor="test")

    def certificates(self) -> list[Document]:
        """All that are alive."""
        with self.database.reading() as connection:
            query = select(documents).where(
                documents.c.kind == "Certificate", documents.c.deleted_at.is_(None)
            )
            return [from_row(row) for row in connection.execute(query).mappings()]

    def change(self, document: Document, **values: Any) -> Document:
        with self.database.writing() as connection:
            return store.change(connection, document, values, actor="test")

    def remove(self, document: Document) -> None:
        with self.database.writing() as connection:
            store.remove(connection, document, actor="test")


@pytest.fixture
def company(database: Database) -> Company:
    return Company(database)


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Runs the actions in threads that start together; what each returned or raised."""
    barrier = Barrier(len(actions))
    results: list[Any] = [None] * len(actions)

    def run(number: int, action: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            results[number] = action()
        except Exception as error:
            results[number] = error

    threads = [Thread(target=run, args=each) for each in enumerate(actions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results
