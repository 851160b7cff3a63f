"""Expand: MACs of accounts and persons, which also cover their credentials (ADR 80)."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"

TABLES = ("account", "person")


def upgrade() -> None:
    """Add the columns, which are null for rows of earlier versions."""
    for table in TABLES:
        op.add_column(table, sa.Column("mac", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Remove the columns."""
    for table in TABLES:
        op.drop_column(table, "mac")
