"""Expand: released figures, which nobody can change or delete (ADR 74)."""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"

APP_ROLE = "safe_conduct_app"
TABLE = "figure_release"
ON_POSTGRESQL = f"""CREATE TRIGGER {TABLE}_kept
BEFORE UPDATE OR DELETE OR TRUNCATE ON {TABLE}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()"""
ON_SQLITE = f"""CREATE TRIGGER {TABLE}_kept_from_{{change}} BEFORE {{change}} ON {TABLE}
BEGIN SELECT RAISE(ABORT, '{TABLE} is never rewritten'); END"""


def upgrade() -> None:
    """Create the table. The service may add rows and read them."""
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("quarter", sa.Integer(), nullable=False),
        sa.Column("method", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("asked_by", sa.Uuid(), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("approved_by", sa.Uuid(), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("year", "quarter"),
    )
    if op.get_context().dialect.name == "sqlite":
        for change in ("update", "delete"):
            op.execute(ON_SQLITE.format(change=change))
        return
    op.execute(f"GRANT SELECT, INSERT ON {TABLE} TO {APP_ROLE}")
    op.execute(ON_POSTGRESQL)


def downgrade() -> None:
    """Drop the table. Released figures are lost."""
    op.drop_table(TABLE)
