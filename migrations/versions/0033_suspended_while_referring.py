"""Expand: whether help was still sought for a case when it was suspended.

For a case that is already suspended, the value is true unless an office had agreed to help
or visits were planned.
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"

SOUGHT = """UPDATE "case" SET suspended_while_referring = true
WHERE state = 'suspended' AND CAST(visits AS TEXT) = '[]' AND NOT EXISTS (
    SELECT 1 FROM referral WHERE referral.case_id = "case".id
    AND referral.state IN ('accepted', 'in_progress', 'on_hold', 'completed')
)"""


def upgrade() -> None:
    """Add the column, and fill it for cases that are already suspended."""
    op.add_column(
        "case",
        sa.Column(
            "suspended_while_referring",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
        ),
    )
    op.execute(SOUGHT)


def downgrade() -> None:
    """Drop the column. Every suspended case then has the stage `assistance`."""
    op.execute('ALTER TABLE "case" DROP COLUMN suspended_while_referring')
