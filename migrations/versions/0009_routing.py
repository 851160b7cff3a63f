"""Expand: what routing asks of the directory, and of past clocks.

Columns have defaults in the database alone, so that the code before this one goes on
inserting. An agreement that says nothing of what may cross lets the notice cross, no more:
an operator who agreed on more has to say so.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

LISTS = ("sexes", "ages", "opening")
LEVEL = """ALTER TABLE agreement ADD COLUMN level VARCHAR(40) DEFAULT 'L0' NOT NULL
CONSTRAINT ck_agreement_level CHECK (level IN ('L0', 'L1', 'L2', 'L3', 'L4'))"""


def upgrade() -> None:
    """Add whom an office serves, when, with how many places, and how much may cross."""
    for name in LISTS:
        listed = sa.Column(name, sa.JSON(), nullable=False, server_default="[]")
        op.add_column("focal_point", listed)
    op.add_column("focal_point", sa.Column("capacity", sa.Integer()))
    op.add_column("focal_point", sa.Column("capacity_as_of", sa.DateTime(timezone=True)))
    op.add_column("focal_point", sa.Column("deputy", sa.String(40)))
    op.execute(LEVEL)  # Alembic would rebuild the table on SQLite, and lose its checks
    op.create_index("ix_clock_waits_on_set_at", "clock", ["waits_on", "set_at"])


def downgrade() -> None:
    """Undo it: what offices said of themselves is lost."""
    op.drop_index("ix_clock_waits_on_set_at", "clock")
    op.drop_column("agreement", "level")
    for name in ("deputy", "capacity_as_of", "capacity", *reversed(LISTS)):
        op.drop_column("focal_point", name)
