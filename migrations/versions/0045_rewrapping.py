"""Expand: the service may wrap keys of counted weeks and meeting points again (ADR 79)."""

from alembic import op

revision = "0045"
down_revision = "0044"

APP_ROLE = "safe_conduct_app"
TABLES = ("week_figures", "meeting_point")
COLUMNS = "version, wrapped, sealed"


def upgrade() -> None:
    """Grant updates of the sealed content and its wrapped key, but of no other column."""
    if op.get_context().dialect.name != "sqlite":
        for table in TABLES:
            op.execute(f"GRANT UPDATE ({COLUMNS}) ON {table} TO {APP_ROLE}")


def downgrade() -> None:
    """Revoke the rights."""
    if op.get_context().dialect.name != "sqlite":
        for table in TABLES:
            op.execute(f"REVOKE UPDATE ({COLUMNS}) ON {table} FROM {APP_ROLE}")
