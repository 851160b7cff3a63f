"""Expand: MACs of deadlines (ADR 83)."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"


def upgrade() -> None:
    """Add the column, which is null in existing deadlines."""
    op.add_column("clock", sa.Column("mac", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Remove the column."""
    op.drop_column("clock", "mac")
