"""Expand: the follow-up points of meetings (ADR 75)."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"

APP_ROLE = "safe_conduct_app"
TABLE = "meeting_point"


def upgrade() -> None:
    """Create the table. The service may write points, complete them and delete them."""
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("meeting", sa.Date(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("written_by", sa.Uuid(), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_by", sa.Uuid(), sa.ForeignKey("account.id")),
        sa.Column("completed_at", sa.DateTime(timezone=True)),
    )
    if op.get_context().dialect.name != "sqlite":
        op.execute(f"GRANT SELECT, INSERT, DELETE ON {TABLE} TO {APP_ROLE}")
        op.execute(f"GRANT UPDATE (completed_by, completed_at) ON {TABLE} TO {APP_ROLE}")


def downgrade() -> None:
    """Drop the table. The points of meetings are lost."""
    op.drop_table(TABLE)
