"""Expand: links with which the holder of an account makes an API key (ADR 86)."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"


def upgrade() -> None:
    """Add the time until which a link is valid, which is null for keys that were made."""
    until = sa.Column("link_until", sa.DateTime(timezone=True), nullable=True)
    op.add_column("api_key", until)


def downgrade() -> None:
    """Remove the column. Revoke the keys of links that were not used before."""
    op.drop_column("api_key", "link_until")
