"""Expand: a count of refusals by adults, which identifies nobody (R91)."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

APP_ROLE = "safe_conduct_app"


def upgrade() -> None:
    """Create the table, and let the service read and add rows."""
    op.create_table(
        "refusal",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("week", sa.Date(), nullable=False),
    )
    if op.get_context().dialect.name != "sqlite":
        op.execute(f"GRANT SELECT, INSERT ON refusal TO {APP_ROLE}")


def downgrade() -> None:
    """Drop the table. The count is lost."""
    op.drop_table("refusal")
