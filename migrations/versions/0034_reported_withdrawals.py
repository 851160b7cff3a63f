"""Expand: an office that the person fears said that a consent was taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Add when that was said, for each consent; of those that exist nobody said it."""
    at = sa.Column("withdrawal_reported_at", sa.DateTime(timezone=True))
    op.add_column("consent", at)


def downgrade() -> None:
    """Drop it: the journal still has that it was said."""
    op.drop_column("consent", "withdrawal_reported_at")
