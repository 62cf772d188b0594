"""What zones answer authorities while they are asked, and the zones that certificates are waiting for."""

import json

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
    for uid, name, spec in op.get_bind().execute(text(_LIVING)).all():
        values = json.loads(spec) if isinstance(spec, str) else spec
        if values.get("acme_challenge_type") == "dns01":
            names = {name, *(each.removeprefix("*.") for each in values.get("san_domains", ()))}
            zones = sorted({zone for each in names for zone in _above(each)})
            op.get_bind().execute(text(_REFER), [{"uid": uid, "name": zone} for zone in zones])


_LIVING = "SELECT uid, name, spec FROM documents WHERE kind = 'Certificate' AND deleted_at IS NULL"
_REFER = "INSERT INTO refs (uid, kind, name) VALUES (:uid, 'DnsZone', :name)"


def _above(name: str) -> list[str]:
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(len(labels) - 1)]


def downgrade() -> None:
    op.execute(
        "DELETE FROM refs WHERE kind = 'DnsZone' AND uid IN (SELECT uid FROM documents WHERE kind = 'Certificate')"
    )
    op.drop_table("acme_challenges")
