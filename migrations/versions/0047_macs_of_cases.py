"""Expand: MACs of cases, which also cover the records that decide about rights (ADR 81)."""

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    """Add the column, which is null for cases of earlier versions."""
    op.add_column("case", sa.Column("mac", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Remove the column."""
    op.drop_column("case", "mac")
