"""Expand: whether an account deactivated an office or a contact (ADR 88)."""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
TABLES = ("focal_point", "contact")


def upgrade() -> None:
    """Add the column, which is null for rows that were deactivated before.

    The next `directory load` fills it from the history, because only the service can write
    the MAC of a row with a value in it.
    """
    for table in TABLES:
        op.add_column(table, sa.Column("deactivated_by_account", sa.Boolean()))


def downgrade() -> None:
    """Remove the column. Earlier versions read the history instead."""
    for table in TABLES:
        op.drop_column(table, "deactivated_by_account")
