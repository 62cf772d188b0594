"""What the control plane made for a document and remembers, and secrets that belong to it."""

from alembic import op
from sqlalchemy import JSON, Column, Text
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("documents", Column("kept", JSON().with_variant(JSONB(), "postgresql")))
    op.add_column("documents", Column("sealed", Text))


def downgrade() -> None:
    op.drop_column("documents", "sealed")
    op.drop_column("documents", "kept")
