"""Expand: the report, by an office that the person fears, that a consent was withdrawn."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Add the time of the report to consents. It is null for existing consents."""
    at = sa.Column("withdrawal_reported_at", sa.DateTime(timezone=True))
    op.add_column("consent", at)


def downgrade() -> None:
    """Drop the column. The journal still contains the reports."""
    op.drop_column("consent", "withdrawal_reported_at")
