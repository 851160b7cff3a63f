"""Expand: MACs of the rows of the directory (ADR 82)."""

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
TABLES = ("country", "focal_point", "contact", "agreement", "time_limit")


def upgrade() -> None:
    """Add the columns, which are null in existing rows."""
    for table in TABLES:
        op.add_column(table, sa.Column("mac", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Remove the columns."""
    for table in reversed(TABLES):
        op.drop_column(table, "mac")
