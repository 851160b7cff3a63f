"""Expand: what is new for a receiver is delayed at random, and it is kept up to where.

Webhooks that exist begin with 0: the next events that happen are delayed like any others.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add up to which position a delay was drawn."""
    column = sa.Column("delayed_to", COUNTER, nullable=False, server_default="0")
    op.add_column("webhook", column)


def downgrade() -> None:
    """Send at once again."""
    op.drop_column("webhook", "delayed_to")
