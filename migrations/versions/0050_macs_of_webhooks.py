"""Expand: MACs of webhooks (ADR 82)."""

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"


def upgrade() -> None:
    """Add the column, which is null in existing webhooks."""
    op.add_column("webhook", sa.Column("mac", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Remove the column."""
    op.drop_column("webhook", "mac")
