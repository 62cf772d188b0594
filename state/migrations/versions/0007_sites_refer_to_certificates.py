"""Sites refer to the certificate of their name, so that they are looked at when there is another one."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "INSERT INTO refs (uid, kind, name) SELECT uid, 'Certificate', name FROM documents"
        " WHERE kind = 'WebDomain' AND deleted_at IS NULL"
    )


def downgrade() -> None:
    op.execute("DELETE FROM refs WHERE kind = 'Certificate'")
