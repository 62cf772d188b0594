"""Entries of the audit begin at 1, and none takes the place of another (OR REPLACE deletes without a trigger)."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_SQLITE = """CREATE TRIGGER audit_no_replacement BEFORE INSERT ON audit
    WHEN NEW.id IS NULL OR NEW.id < 1 OR EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END"""
_POSTGRESQL = """CREATE TRIGGER audit_no_replacement BEFORE INSERT ON audit
    FOR EACH ROW WHEN (NEW.id < 1) EXECUTE FUNCTION audit_refuse()"""


def upgrade() -> None:
    op.execute(_SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL)


def downgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute("DROP TRIGGER audit_no_replacement" + ("" if is_sqlite else " ON audit"))
