"""For whom zones at external providers were made or taken over."""

from alembic import op
from sqlalchemy import Column, String

from state.tables import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provider_zones",
        Column("provider", String(64), primary_key=True),
        Column("zone", String(255), primary_key=True),
        Column("owner", String(64), nullable=False),
        Column("at", Instant, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("provider_zones")
