"""Expand: an approval keeps its request, sealed, so that a second person can confirm it.

An approval that was requested before this migration has no stored request. It can still be
approved, and the account that asked then sends the request again. Requests can now be
withdrawn (ADR 61).
"""

import sqlalchemy as sa
from alembic import op

from app.kernel.migrations import set_allowed_values

revision = "0037"
down_revision = "0036"

DECISIONS = ("pending", "approved", "refused", "spent", "lapsed")
KEPT = sa.text("sealed_request IS NOT NULL")


def upgrade() -> None:
    """Add the columns, the decision `withdrawn`, and an index of the kept requests."""
    set_allowed_values(
        "approval", "decision", "ck_approval_approvalstate", (*DECISIONS, "withdrawn")
    )
    op.add_column("approval", sa.Column("sealed_request", sa.LargeBinary()))
    op.add_column("approval", sa.Column("request_key", sa.LargeBinary()))
    op.add_column("approval", sa.Column("request_key_version", sa.String()))
    op.create_index(
        "ix_approval_lapses_at",
        "approval",
        ["lapses_at"],
        postgresql_where=KEPT,
        sqlite_where=KEPT,
    )


def downgrade() -> None:
    """Delete the sealed requests. Withdrawn approvals become refused and stay ended."""
    op.drop_index("ix_approval_lapses_at", "approval")
    for column in ("request_key_version", "request_key", "sealed_request"):
        op.drop_column("approval", column)
    op.execute("UPDATE approval SET decision = 'refused' WHERE decision = 'withdrawn'")
    set_allowed_values("approval", "decision", "ck_approval_approvalstate", DECISIONS)
