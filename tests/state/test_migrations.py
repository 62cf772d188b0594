"""The schema that migrations make is the one that the program speaks of."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import state.access_tables
import state.acme_tables
import state.journal_tables
from state.database import Database
from state.tables import metadata


def test_a_migrated_database_has_the_tables_that_are_declared(database: Database) -> None:
    assert (
        state.access_tables.metadata
        is state.acme_tables.metadata
        is state.journal_tables.metadata
        is metadata
    )
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_schema_goes_back_to_the_first_and_forward_again(database: Database) -> None:
    database.migrate("-1")
    database.migrate()
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
