"""Expand: the contact people of an office, for an acceptance that names none (ADR 57)."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"

APP_ROLE = "safe_conduct_app"


def upgrade() -> None:
    """Create the table. No office has default contacts until it sets them."""
    office = sa.ForeignKey("focal_point.id")
    op.create_table(
        "default_contacts",
        sa.Column("focal_point_id", sa.Uuid(), office, primary_key=True),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
    )
    if op.get_context().dialect.name != "sqlite":
        op.execute(
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON default_contacts TO {APP_ROLE}"
        )


def downgrade() -> None:
    """Drop the table. Every acceptance then has to name its contacts."""
    op.drop_table("default_contacts")
