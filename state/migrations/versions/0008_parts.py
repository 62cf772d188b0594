"""Which document another one is a part of."""

from alembic import op
from sqlalchemy import Column, String, text

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_PART = text("whole <> ''")


def upgrade() -> None:
    op.add_column("documents", Column("whole", String(36), nullable=False, server_default=""))
    columns = ["whole", "created_at", "uid"]
    op.create_index("ix_documents_parts", "documents", columns, sqlite_where=_PART, postgresql_where=_PART)


def downgrade() -> None:
    op.drop_index("ix_documents_parts", "documents")
    op.drop_column("documents", "whole")
