"""Expand: a column and indexes for account changes by HTTP, and for the daily cap.

An API key gets the account that created it, and an approval that belongs to no case can
expire. An index finds the documents that an account opened today.
"""

import sqlalchemy as sa
from alembic import op

from app.kernel.migrations import set_allowed_values

revision = "0019"
down_revision = "0018"

DECISIONS = ("pending", "approved", "refused", "spent")


def upgrade() -> None:
    """Add the column, the decision `lapsed` and the indexes."""
    op.add_column("api_key", sa.Column("made_by", sa.Uuid(), nullable=True))
    set_allowed_values(
        "approval", "decision", "ck_approval_approvalstate", (*DECISIONS, "lapsed")
    )
    op.create_index("ix_approval_decision_lapses_at", "approval", ["decision", "lapses_at"])
    op.create_index("ix_access_entry_account_id_at", "access_entry", ["account_id", "at"])


def downgrade() -> None:
    """Remove the additions. Expired approvals become refused, so that they stay ended."""
    op.drop_index("ix_access_entry_account_id_at", "access_entry")
    op.drop_index("ix_approval_decision_lapses_at", "approval")
    op.execute("UPDATE approval SET decision = 'refused' WHERE decision = 'lapsed'")
    set_allowed_values("approval", "decision", "ck_approval_approvalstate", DECISIONS)
    op.drop_column("api_key", "made_by")
