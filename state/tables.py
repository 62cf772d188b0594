"""The tables, the same on SQLite and PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB


class Instant(TypeDecorator[datetime]):
    """A UTC time; SQLite keeps it naive, and PostgreSQL gives it in the zone of the session."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        """That of SQLite at once, where the generic way takes three calls a value."""
        return _of_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)


def _of_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(f"{value}+00:00")


class Moment(TypeDecorator[datetime]):
    """A UTC time that is kept as text, in whole seconds: RFC 3339 with a Z."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


Json = JSON().with_variant(JSONB(), "postgresql")
Serial = BigInteger().with_variant(Integer, "sqlite")
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_ALIVE = text("deleted_at IS NULL")
_BURIED = text("deleted_at IS NOT NULL")
_PENDING = text("pending")
_PART = text("whole <> ''")
PENDING = text("documents.pending")  # as the index has it: SQLite does not find it by "pending = 1"
IS_PART = text("documents.whole <> ''")  # likewise
_WAITING = text("status = 'pending'")
_CERTIFYING = text("job_type IN ('ssl_issue', 'ssl_renew')")
CERTIFYING = text("jobs.job_type IN ('ssl_issue', 'ssl_renew')")  # likewise


def _living(name: str, *columns: str) -> Index:
    """An index of living documents, in the order of a list; SQLite counts them in it if their mark is in it too."""
    return Index(name, *columns, sqlite_where=_ALIVE, postgresql_where=_ALIVE)


documents = Table(
    "documents",
    metadata,
    Column("uid", String(36), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("name", String(255), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("target", String(255), nullable=False),
    Column("spec", Json, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("wanted", Integer, nullable=False),
    Column("pending", Boolean, nullable=False),
    Column("number", Integer),
    Column("confirmed", Boolean, nullable=False),
    Column("request_id", String(64), nullable=False, server_default=""),
    Column("kept", Json),
    Column("sealed", Text),
    Column("whole", String(36), nullable=False, server_default=""),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("deleted_at", Instant),
    Index("uq_documents_alive", "kind", "name", unique=True, sqlite_where=_ALIVE, postgresql_where=_ALIVE),
    Index("ix_documents_pending", "target", "updated_at", sqlite_where=_PENDING, postgresql_where=_PENDING),
    _living("ix_documents_owner", "owner", "kind", "created_at", "uid", "deleted_at"),
    _living("ix_documents_listing", "kind", "created_at", "uid", "deleted_at"),
    _living("ix_documents_created", "created_at", "uid", "deleted_at"),
    Index("ix_documents_target", "target"),
    Index("ix_documents_parts", "whole", "created_at", "uid", sqlite_where=_PART, postgresql_where=_PART),
    Index("ix_documents_buried", "kind", "name", sqlite_where=_BURIED, postgresql_where=_BURIED),
)

revisions = Table(
    "revisions",
    metadata,
    Column("uid", String(36), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("spec", Json, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("at", Instant, nullable=False),
)

claims = Table(
    "claims",
    metadata,
    Column("space", String(16), primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("uid", String(36), ForeignKey("documents.uid"), nullable=False, index=True),
    Column("owner", String(64), nullable=False),
    Column("base", String(255), nullable=False, index=True),
)

refs = Table(
    "refs",
    metadata,
    Column("uid", String(36), ForeignKey("documents.uid"), primary_key=True),
    Column("kind", String(64), primary_key=True),
    Column("name", String(255), primary_key=True),
    Index("ix_refs_referred", "kind", "name"),
)

statuses = Table(
    "statuses",
    metadata,
    Column("uid", String(36), ForeignKey("documents.uid"), primary_key=True),
    Column("observed_generation", Integer, nullable=False),
    Column("ready", Boolean, nullable=False),
    Column("conditions", Json, nullable=False),
    Column("applied", Json, nullable=False),
    Column("refused", Json, nullable=False),
    Column("repairs", Json, nullable=False),
)

credentials = Table(
    "credentials",
    metadata,
    Column("uid", String(36), ForeignKey("documents.uid"), primary_key=True),
    Column("verifier", Text, nullable=False),
    Column("changed_at", Instant, nullable=False),
)

numbers = Table(
    "numbers",
    metadata,
    Column("kind", String(64), primary_key=True),
    Column("last", Integer, nullable=False),
)

targets = Table(
    "targets",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("address", String(255), nullable=False),
    Column("facts", Json, nullable=False),
    Column("observed_at", Instant),
    Column("reachable", Boolean, nullable=False),
    Column("message", Text, nullable=False),
    Column("drifted", Integer, nullable=False),
    Column("unmanaged", Json, nullable=False),
    Column("listed", Boolean, nullable=False),
    Column("secondaries", Json, nullable=False, server_default="[]"),
    Column("dns_address", String(64), nullable=False, server_default=""),
)

leases = Table(
    "leases",
    metadata,
    Column("target", String(255), primary_key=True),
    Column("holder", String(255), nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("beat", BigInteger, nullable=False),
    Column("held", Boolean, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("job_type", String(32), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("target", String(255), nullable=False),
    Column("status", String(16), nullable=False),
    Column("parameters", Json, nullable=False),
    Column("results", Json, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("holder", String(255), nullable=False),
    Column("request_id", String(64), nullable=False, server_default=""),
    Column("retry_of", String(36)),
    Column("scheduled_for", Instant),
    Column("started_at", Instant),
    Column("completed_at", Instant),
    Column("created_at", Instant, nullable=False),
    Index("ix_jobs_status", "status", "created_at", "id"),
    Index("ix_jobs_listing", "created_at", "id"),
    Index("ix_jobs_owner", "owner", "created_at", "id"),
    Index("ix_jobs_waiting", "target", "scheduled_for", sqlite_where=_WAITING, postgresql_where=_WAITING),
    Index("ix_jobs_retry_of", "retry_of"),
    Index("ix_jobs_certifying", "completed_at", sqlite_where=_CERTIFYING, postgresql_where=_CERTIFYING),
)

job_lines = Table(
    "job_lines",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("job", String(36), ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("line", Text, nullable=False),
)

plans = Table(
    "plans",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("request", Json, nullable=False),
    Column("base", Json, nullable=False),
    Column("status", String(16), nullable=False),
    Column("report", Json),
    Column("created_at", Instant, nullable=False),
    Index("ix_plans_listing", "created_at", "id"),
    Index("ix_plans_owner", "owner", "created_at", "id"),
    Index("ix_plans_waiting", "created_at", sqlite_where=_WAITING, postgresql_where=_WAITING),
)

revoked_tokens = Table(
    "revoked_tokens",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("expires_at", Instant, nullable=False),
)
