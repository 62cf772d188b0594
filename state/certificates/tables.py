"""The tables of certificate authorities: the one key of our accounts, these accounts, and what zones answer them."""

from sqlalchemy import Column, Integer, String, Table, Text

from state.tables import Instant, metadata

acme_keys = Table(
    "acme_keys",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("secret", Text, nullable=False),
    Column("thumbprint", String(43), nullable=False),
    Column("created_at", Instant, nullable=False),
)

acme_accounts = Table(
    "acme_accounts",
    metadata,
    Column("directory", String(512), primary_key=True),
    Column("url", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

acme_challenges = Table(
    "acme_challenges",
    metadata,
    Column("job", String(36), primary_key=True),
    Column("zone", String(36), primary_key=True),
    Column("name", String(253), primary_key=True),
    Column("value", String(64), primary_key=True),
    Column("target", String(255), nullable=False),
)
