"""Expand: a case that was closed as a duplicate names the case that goes on."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Add the column; duplicates that were closed before name no other case."""
    op.add_column("case", sa.Column("continues_in", sa.Uuid()))


def downgrade() -> None:
    """Drop it again."""
    op.execute('ALTER TABLE "case" DROP COLUMN continues_in')
