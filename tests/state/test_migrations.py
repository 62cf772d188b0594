"""The schema that migrations make is the one that the program speaks of."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select

from state import store
from state.access import tables as access_tables
from state.certificates import tables as acme_tables
from state.database import Database
from state.journal import tables as journal_tables
from state.kinds import KINDS
from state.tables import metadata, refs
from state.zones import provider_tables
from tests.state.conftest import Company


def test_a_migrated_database_has_the_tables_that_are_declared(database: Database) -> None:
    declared = (
        access_tables.attempts,
        acme_tables.acme_accounts,
        journal_tables.audit,
        provider_tables.dns_providers,
    )
    assert {table.metadata for table in declared} == {metadata}
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_schema_goes_back_to_the_first_and_forward_again(database: Database) -> None:
    database.migrate("-1")
    database.migrate()
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_certificates_that_are_had_by_dns_refer_to_zones_afterwards(
    database: Database, company: Company
) -> None:
    company.user("anna")
    values = {"acme_challenge_type": "dns01", "san_domains": ["*.a.b.example.com"]}
    with database.writing() as connection:
        one = store.create(connection, KINDS["Certificate"], "example.com", "anna", values, actor="test")
        other = store.create(connection, KINDS["Certificate"], "example.org", "anna", {}, actor="test")
    database.migrate("0008")
    database.migrate()
    with database.reading() as connection:
        zones = select(refs.c.uid, refs.c.name).where(refs.c.kind == "DnsZone")
        found = [tuple(row) for row in connection.execute(zones.order_by(refs.c.name))]
    names = ("a.b.example.com", "b.example.com", "example.com")
    assert found == [(one.uid, name) for name in names]
    assert other.uid not in dict(found)
