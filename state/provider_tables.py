"""The table of external DNS providers: how each is reached, sealed, since only its package knows what is secret."""

from sqlalchemy import Column, String, Table, Text

from state.tables import Instant, metadata

dns_providers = Table(
    "dns_providers",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("package", String(255), nullable=False),
    Column("options", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
)
