"""Expand: the number of places that an office has in all, which limits its free places."""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"


def upgrade() -> None:
    """Add the column. It is null in existing rows, so their MACs still match."""
    op.add_column("focal_point", sa.Column("places", sa.Integer()))


def downgrade() -> None:
    """Remove the column. Before a downgrade, set it to null: MACs cover its values."""
    op.drop_column("focal_point", "places")
