"""The tables of what happened: events with who may know of them, web hooks and their deliveries, and the audit."""

from sqlalchemy import BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from state.tables import Instant, Json, Serial, metadata

events = Table(
    "events",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("event", String(64), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("manager", String(64), nullable=False),
    Column("data", Json, nullable=False),
    Column("at", Instant, nullable=False, index=True),
    sqlite_autoincrement=True,
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("uid", String(36), ForeignKey("documents.uid"), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("events", Json, nullable=False),
    Column("secret", Text, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("disabled_reason", Text, nullable=False),
    Column("failing_since", Instant),
    Column("since", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Index("ix_webhooks_listing", "created_at", "id"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("webhook", String(36), ForeignKey("webhooks.id", ondelete="CASCADE"), nullable=False),
    Column("event", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Instant),
    Column("answer_status", Integer),
    Column("message", Text, nullable=False),
    Column("created_at", Instant, nullable=False, index=True),
    Column("completed_at", Instant),
    Index("ix_deliveries_queue", "webhook", "status", "number", "id"),
    Index("ix_deliveries_listing", "webhook", "created_at", "id"),
)

cursors = Table(
    "cursors",
    metadata,
    Column("reader", String(64), primary_key=True),
    Column("last", BigInteger, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False, index=True),
    Column("actor", String(64), nullable=False),
    Column("actor_id", String(36), nullable=False),
    Column("role", String(16), nullable=False),
    Column("token", String(64), nullable=False),
    Column("address", String(45), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("action", String(128), nullable=False),
    Column("object_type", String(64), nullable=False),
    Column("object_id", String(255), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("before", Json),
    Column("after", Json),
    Column("result", String(64), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Index("ix_audit_actor", "actor", "id"),
    Index("ix_audit_actor_id", "actor_id", "id"),
    Index("ix_audit_object_id", "object_id", "id"),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("seal", String(64), nullable=False),
)

loops = Table(
    "loops",
    metadata,
    Column("loop", String(16), primary_key=True),
    Column("target", String(255), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("busy_since", Instant),
    Column("rounds", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),
)
