"""Expand: whether an account deactivated an office or a contact (ADR 88)."""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
TABLES = ("focal_point", "contact")


def upgrade() -> None:
    """Add the column. It is null in existing rows.

    The next `directory load` sets it in inactive rows, because a value changes the MAC of
    the row, and a migration has no keys.
    """
    for table in TABLES:
        op.add_column(table, sa.Column("deactivated_by_account", sa.Boolean()))


def downgrade() -> None:
    """Remove the column. Earlier versions read the history instead."""
    for table in TABLES:
        op.drop_column(table, "deactivated_by_account")
