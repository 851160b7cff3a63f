"""Expand: columns and an index for routing, in the directory and the deadlines.

The defaults of the columns are in the database only, for the previous version of the code.
An existing agreement gets the level L0, which permits only the summary to cross a border.
An operator has to set another level.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

LISTS = ("sexes", "ages", "opening")
LEVEL = """ALTER TABLE agreement ADD COLUMN level VARCHAR(40) DEFAULT 'L0' NOT NULL
CONSTRAINT ck_agreement_level CHECK (level IN ('L0', 'L1', 'L2', 'L3', 'L4'))"""


def upgrade() -> None:
    """Add columns to offices, the level to agreements, and an index to the deadlines."""
    for name in LISTS:
        listed = sa.Column(name, sa.JSON(), nullable=False, server_default="[]")
        op.add_column("focal_point", listed)
    op.add_column("focal_point", sa.Column("capacity", sa.Integer()))
    op.add_column("focal_point", sa.Column("capacity_as_of", sa.DateTime(timezone=True)))
    op.add_column("focal_point", sa.Column("deputy", sa.String(40)))
    op.execute(LEVEL)  # Alembic would recreate the table on SQLite without its checks
    op.create_index("ix_clock_waits_on_set_at", "clock", ["waits_on", "set_at"])


def downgrade() -> None:
    """Drop the columns and the index. The data in the columns is lost."""
    op.drop_index("ix_clock_waits_on_set_at", "clock")
    op.drop_column("agreement", "level")
    for name in ("deputy", "capacity_as_of", "capacity", *reversed(LISTS)):
        op.drop_column("focal_point", name)
