"""Expand: each sealed document has a key of its own, in a table that is written anew."""

import sqlalchemy as sa
from alembic import op

from app.kernel.migrations import enable_row_security

revision = "0026"
down_revision = "0025"

APP_ROLE = "safe_conduct_app"
# From PostgreSQL 17 on a right of its own; before, only the owner writes a table anew.
MAINTAIN = """DO $$ BEGIN
    IF current_setting('server_version_num')::int >= 170000 THEN
        EXECUTE 'GRANT MAINTAIN ON document_key TO safe_conduct_app';
    END IF;
END $$"""


def upgrade() -> None:
    """Create the table; documents that exist open under the key of their case."""
    op.create_table(
        "document_key",
        sa.Column("document_id", sa.Uuid(), primary_key=True),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["sealed.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["case_id"], ["case.id"]),
    )
    if op.get_context().dialect.name == "sqlite":
        return
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON document_key TO {APP_ROLE}")
    op.execute(MAINTAIN)
    enable_row_security("document_key")


def downgrade() -> None:
    """Drop the keys: documents that were sealed since do not open again."""
    op.drop_table("document_key")
