"""Expand: the last jump of the clock is recorded, so that every process can report it."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"

APP_ROLE = "safe_conduct_app"


def upgrade() -> None:
    """Create the table, in which the service keeps at most one row."""
    op.create_table(
        "clock_jump",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON clock_jump TO {APP_ROLE}")


def downgrade() -> None:
    """Drop the table. The log still contains the jumps."""
    op.drop_table("clock_jump")
