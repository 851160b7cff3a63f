"""Expand: the account that wrote a draft, so that its open drafts can be counted."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

IS_DRAFT = sa.text("state = 'draft'")


def upgrade() -> None:
    """Add the column. It is null for existing drafts, which count for no account."""
    op.add_column("case", sa.Column("drafted_by", sa.Uuid()))
    op.create_index(
        "ix_case_open_draft",
        "case",
        ["drafted_by"],
        sqlite_where=IS_DRAFT,
        postgresql_where=IS_DRAFT,
    )


def downgrade() -> None:
    """Drop the index and the column."""
    op.drop_index("ix_case_open_draft", "case")
    op.execute('ALTER TABLE "case" DROP COLUMN drafted_by')
