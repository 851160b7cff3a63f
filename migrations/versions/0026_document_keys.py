"""Expand: a key for each sealed document, in a table that the service may rewrite."""

import sqlalchemy as sa
from alembic import op

from app.kernel.migrations import enable_row_security

revision = "0026"
down_revision = "0025"

APP_ROLE = "safe_conduct_app"
# MAINTAIN exists in PostgreSQL 17 and newer. Before, only the owner can rewrite a table.
MAINTAIN = """DO $$ BEGIN
    IF current_setting('server_version_num')::int >= 170000 THEN
        EXECUTE 'GRANT MAINTAIN ON document_key TO safe_conduct_app';
    END IF;
END $$"""


def upgrade() -> None:
    """Create the table. Existing documents have no row and use the key of their case."""
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
    """Drop the table. Documents sealed after the upgrade can no longer be decrypted."""
    op.drop_table("document_key")
