"""The key of our accounts with certificate authorities, and these accounts."""

from alembic import op
from sqlalchemy import Column, Integer, String, Text

from state.tables import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "acme_keys",
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("secret", Text, nullable=False),
        Column("thumbprint", String(43), nullable=False),
        Column("created_at", Instant, nullable=False),
    )
    op.create_table(
        "acme_accounts",
        Column("directory", String(512), primary_key=True),
        Column("url", Text, nullable=False),
        Column("created_at", Instant, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("acme_accounts")
    op.drop_table("acme_keys")
