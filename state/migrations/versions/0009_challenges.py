"""What zones answer authorities while they are asked, and the zones that certificates are waiting for."""

from alembic import op
from sqlalchemy import Column, String, text

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "acme_challenges",
        Column("job", String(36), primary_key=True),
        Column("zone", String(36), primary_key=True),
        Column("name", String(253), primary_key=True),
        Column("value", String(64), primary_key=True),
        Column("target", String(255), nullable=False),
    )
    living = "SELECT uid, name, spec FROM documents WHERE kind = 'Certificate' AND deleted_at IS NULL"
    found = op.get_bind().execute(text(living)).all()
    rows = [
        {"uid": uid, "name": zone}
        for uid, name, spec in found
        if "dns01" in str(spec)
        for zone in _above(name)
    ]
    if rows:
        op.get_bind().execute(
            text("INSERT INTO refs (uid, kind, name) VALUES (:uid, 'DnsZone', :name)"), rows
        )


def _above(name: str) -> list[str]:
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


def downgrade() -> None:
    op.execute(
        "DELETE FROM refs WHERE kind = 'DnsZone' AND uid IN (SELECT uid FROM documents WHERE kind = 'Certificate')"
    )
    op.drop_table("acme_challenges")
