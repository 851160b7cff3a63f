"""Expand: the feed position up to which the events of a webhook were delayed.

The value is 0 for existing webhooks, so that their next events are delayed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the column `delayed_to`."""
    column = sa.Column("delayed_to", COUNTER, nullable=False, server_default="0")
    op.add_column("webhook", column)


def downgrade() -> None:
    """Drop the column. Events are then sent without a delay."""
    op.drop_column("webhook", "delayed_to")
