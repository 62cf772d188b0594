"""The tables of who may come in: second factors, API tokens, failed attempts, and answers kept for repetitions."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from state.tables import Instant, Json, metadata

second_factors = Table(
    "second_factors",
    metadata,
    Column("uid", String(36), ForeignKey("documents.uid"), primary_key=True),
    Column("secret", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("uid", String(36), ForeignKey("documents.uid"), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("used_at", Instant),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("uid", String(36), ForeignKey("documents.uid"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("scopes", Json, nullable=False),
    Column("addresses", Json, nullable=False),
    Column("version", Integer, nullable=False),
    Column("expires_at", Instant),
    Column("last_used_at", Instant),
    Column("last_used_address", String(45)),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index("uq_api_tokens_uid_name", "uid", "name", unique=True),
    Index("ix_api_tokens_listing", "created_at", "id"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("address", String(45), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", Instant, nullable=False, index=True),
    Column("known_until", Instant),
)

kept_answers = Table(
    "kept_answers",
    metadata,
    Column("uid", String(36), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False, index=True),
)
