"""An index of the jobs that certificates are had by, since authorities give so many a week."""

from alembic import op
from sqlalchemy import text

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_CERTIFYING = text("job_type IN ('ssl_issue', 'ssl_renew')")


def upgrade() -> None:
    where = _CERTIFYING
    op.create_index(
        "ix_jobs_certifying", "jobs", ["completed_at"], sqlite_where=where, postgresql_where=where
    )


def downgrade() -> None:
    op.drop_index("ix_jobs_certifying", "jobs")
