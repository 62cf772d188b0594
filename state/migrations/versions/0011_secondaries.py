"""Which hosts are secondaries of which, and where other name servers find a host."""

from alembic import op
from sqlalchemy import JSON, Column, String
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_JSON = JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column("targets", Column("secondaries", _JSON, nullable=False, server_default="[]"))
    op.add_column("targets", Column("dns_address", String(64), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("targets", "dns_address")
    op.drop_column("targets", "secondaries")
