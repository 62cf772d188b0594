"""Which request caused what, which job tries another again, and indexes that have the order of lists."""

from alembic import op
from sqlalchemy import Column, String, text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ALIVE = text("deleted_at IS NULL")
_PENDING = text("pending")
_WAITING = text("status = 'pending'")
_REPLACED = (
    ("ix_documents_owner", "documents", ("owner", "kind"), None),
    ("ix_documents_pending", "documents", ("target",), _PENDING),
    ("ix_documents_listing", "documents", ("kind", "created_at", "uid"), None),
    ("ix_jobs_status", "jobs", ("status", "job_type"), None),
    ("ix_jobs_owner", "jobs", ("owner", "created_at"), None),
)
_INDEXES = (
    ("ix_documents_pending", "documents", ("target", "updated_at"), _PENDING),
    ("ix_documents_owner", "documents", ("owner", "kind", "created_at", "uid", "deleted_at"), _ALIVE),
    ("ix_documents_listing", "documents", ("kind", "created_at", "uid", "deleted_at"), _ALIVE),
    ("ix_documents_created", "documents", ("created_at", "uid", "deleted_at"), _ALIVE),
    ("ix_jobs_status", "jobs", ("status", "created_at", "id"), None),
    ("ix_jobs_owner", "jobs", ("owner", "created_at", "id"), None),
    ("ix_jobs_waiting", "jobs", ("target", "scheduled_for"), _WAITING),
    ("ix_jobs_retry_of", "jobs", ("retry_of",), None),
    ("ix_plans_listing", "plans", ("created_at", "id"), None),
    ("ix_plans_owner", "plans", ("owner", "created_at", "id"), None),
    ("ix_plans_waiting", "plans", ("created_at",), _WAITING),
)


def upgrade() -> None:
    op.add_column("jobs", Column("request_id", String(64), nullable=False, server_default=""))
    op.add_column("jobs", Column("retry_of", String(36)))
    op.add_column("documents", Column("request_id", String(64), nullable=False, server_default=""))
    for name, table, _, _ in _REPLACED:
        op.drop_index(name, table)
    for name, table, columns, where in _INDEXES:
        op.create_index(name, table, list(columns), sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name, table, _, _ in _INDEXES:
        op.drop_index(name, table)
    for name, table, columns, where in _REPLACED:
        op.create_index(name, table, list(columns), sqlite_where=where, postgresql_where=where)
    op.drop_column("documents", "request_id")
    op.drop_column("jobs", "retry_of")
    op.drop_column("jobs", "request_id")
