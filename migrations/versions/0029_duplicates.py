"""Expand: the case that continues a case that was closed as a duplicate."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Add the column, which is null for duplicates that are already closed."""
    op.add_column("case", sa.Column("continues_in", sa.Uuid()))


def downgrade() -> None:
    """Drop the column."""
    op.execute('ALTER TABLE "case" DROP COLUMN continues_in')
