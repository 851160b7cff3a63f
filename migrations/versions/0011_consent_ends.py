"""Expand: a clock for the end of a guardian's consent."""

from alembic import op

from app.kernel.migrations import allow

revision = "0011"
down_revision = "0010"

CLOCKS = (
    *("acknowledge", "decide_lead", "decide_referral", "meet_person", "give_feedback"),
    *("answer_handover", "review", "review_risk", "confirm_arrival", "monitor"),
    *("review_closure", "assess_interests"),
    *("answer", "approve", "finish_draft", "confirm_deletion", "erase"),
)
CLOCKS_NOW = (*CLOCKS[:12], "consent_ends", *CLOCKS[12:])


def upgrade() -> None:
    """Make room for it."""
    allow("clock", "kind", "ck_clock_clockkind", CLOCKS_NOW)


def downgrade() -> None:
    """Undo it: nobody looks when a consent ends."""
    op.execute("DELETE FROM clock WHERE kind = 'consent_ends'")
    allow("clock", "kind", "ck_clock_clockkind", CLOCKS)
