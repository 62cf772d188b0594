"""External DNS providers; what one calls a zone is remembered with it, and is no part of its spec."""

from collections.abc import Callable
from typing import Any

from alembic import op
from sqlalchemy import Column, String, Table, Text, select, update

from state.tables import Instant, documents, revisions

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_FIELD = "provider_zone_id"


def upgrade() -> None:
    op.create_table(
        "dns_providers",
        Column("name", String(64), primary_key=True),
        Column("package", String(255), nullable=False),
        Column("options", Text, nullable=False),
        Column("changed_at", Instant, nullable=False),
    )
    for table in (documents, revisions):
        _each_zone(table, lambda spec: {name: value for name, value in spec.items() if name != _FIELD})


def downgrade() -> None:
    for table in (documents, revisions):
        _each_zone(table, lambda spec: {**spec, _FIELD: None} if spec else spec)
    op.drop_table("dns_providers")


def _each_zone(table: Table, changed: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    connection, keys = op.get_bind(), list(table.primary_key.columns)
    zones = select(documents.c.uid).where(documents.c.kind == "DnsZone")
    rows = connection.execute(select(*keys, table.c.spec).where(table.c.uid.in_(zones))).all()
    for row in rows:
        mine = [column == getattr(row, column.name) for column in keys]
        connection.execute(update(table).where(*mine).values(spec=changed(row.spec)))
