"""Expand: short names of offices, by language. Existing offices have none."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    """Add the column. The default is for the previous version, which does not set it."""
    names = sa.Column("short_names", sa.JSON(), nullable=False, server_default="{}")
    op.add_column("focal_point", names)


def downgrade() -> None:
    """Drop the column with the short names."""
    op.drop_column("focal_point", "short_names")
