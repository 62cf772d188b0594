"""Second factors, API tokens, kept answers, events, web hooks and the audit, whose entries nobody can change."""

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from state.tables import Instant, Json, Serial

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_schema = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
Table("documents", _schema, Column("uid", String(36), primary_key=True))

Table(
    "second_factors",
    _schema,
    Column("uid", String(36), ForeignKey("documents.uid"), primary_key=True),
    Column("secret", Text, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
)

Table(
    "recovery_codes",
    _schema,
    Column("uid", String(36), ForeignKey("documents.uid"), primary_key=True),
    Column("digest", String(64), primary_key=True),
    Column("used_at", Instant),
)

Table(
    "api_tokens",
    _schema,
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

Table(
    "attempts",
    _schema,
    Column("account", String(64), primary_key=True),
    Column("address", String(45), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", Instant, nullable=False, index=True),
    Column("known_until", Instant),
)

Table(
    "kept_answers",
    _schema,
    Column("uid", String(36), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False, index=True),
)

Table(
    "events",
    _schema,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("event", String(64), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("manager", String(64), nullable=False),
    Column("data", Json, nullable=False),
    Column("at", Instant, nullable=False, index=True),
    sqlite_autoincrement=True,
)

Table(
    "webhooks",
    _schema,
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

Table(
    "deliveries",
    _schema,
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

_cursors = Table(
    "cursors",
    _schema,
    Column("reader", String(64), primary_key=True),
    Column("last", BigInteger, nullable=False),
)

Table(
    "audit",
    _schema,
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

_head = Table(
    "audit_head",
    _schema,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("seal", String(64), nullable=False),
)

Table(
    "loops",
    _schema,
    Column("loop", String(16), primary_key=True),
    Column("target", String(255), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("busy_since", Instant),
    Column("rounds", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("seconds", Float, nullable=False),
)

_NEW = [table for table in _schema.sorted_tables if table.name != "documents"]
_REFUSAL = "the audit is append-only"
_SQLITE = """CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON audit BEGIN SELECT RAISE(ABORT, '{why}'); END"""
_POSTGRESQL = (
    f"""CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$""",
    """CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()""",
)


def upgrade() -> None:
    connection = op.get_bind()
    _schema.create_all(connection, tables=_NEW)
    connection.execute(_head.insert().values(id=1, last=0, digest="0" * 64, seal=""))
    connection.execute(_cursors.insert(), [{"reader": name, "last": 0} for name in ("webhooks", "pruned")])
    if connection.dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(_SQLITE.format(verb=verb, why=_REFUSAL))
        return
    for statement in _POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    connection = op.get_bind()
    _schema.drop_all(connection, tables=_NEW)
    if connection.dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_refuse()")
