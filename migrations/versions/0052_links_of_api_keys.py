"""Expand: links with which the holder of an account creates an API key (ADR 86)."""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"


def upgrade() -> None:
    """Add the time until which a link is valid. It is null once the API key exists."""
    until = sa.Column("link_until", sa.DateTime(timezone=True), nullable=True)
    op.add_column("api_key", until)


def downgrade() -> None:
    """Remove the column. Before a downgrade, revoke the API keys whose links are unused."""
    op.drop_column("api_key", "link_until")
