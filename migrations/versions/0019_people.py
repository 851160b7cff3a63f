"""Expand: accounts and keys are changed over HTTP, and how much one may open in a day.

A key says whom it was shown to, an approval that it lapsed without a case to tell so, and
what an account opened today is found without reading all that was ever opened.
"""

import sqlalchemy as sa
from alembic import op

from app.kernel.migrations import set_allowed_values

revision = "0019"
down_revision = "0018"

DECISIONS = ("pending", "approved", "refused", "spent")


def upgrade() -> None:
    """Make room for it."""
    op.add_column("api_key", sa.Column("made_by", sa.Uuid(), nullable=True))
    set_allowed_values(
        "approval", "decision", "ck_approval_approvalstate", (*DECISIONS, "lapsed")
    )
    op.create_index("ix_approval_decision_lapses_at", "approval", ["decision", "lapses_at"])
    op.create_index("ix_access_entry_account_id_at", "access_entry", ["account_id", "at"])


def downgrade() -> None:
    """Undo it: what lapsed is refused, so that nobody can answer it after all."""
    op.drop_index("ix_access_entry_account_id_at", "access_entry")
    op.drop_index("ix_approval_decision_lapses_at", "approval")
    op.execute("UPDATE approval SET decision = 'refused' WHERE decision = 'lapsed'")
    set_allowed_values("approval", "decision", "ck_approval_approvalstate", DECISIONS)
    op.drop_column("api_key", "made_by")
