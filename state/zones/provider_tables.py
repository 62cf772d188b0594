"""The tables of external DNS providers: how each is reached, sealed, since only its package knows what is secret; and
for whom zones there were made or taken over, also when their documents are gone."""

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

provider_zones = Table(
    "provider_zones",
    metadata,
    Column("provider", String(64), primary_key=True),
    Column("zone", String(255), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("at", Instant, nullable=False),
)
