"""Expand: a deadline for the expiry of a guardian's consent."""

from alembic import op

from app.kernel.migrations import set_allowed_values

revision = "0015"
down_revision = "0014"

CLOCKS = (
    *("acknowledge", "decide_lead", "decide_referral", "meet_person", "give_feedback"),
    *("answer_handover", "review", "review_risk", "confirm_arrival", "monitor"),
    *("review_closure", "assess_interests"),
    *("answer", "approve", "finish_draft", "confirm_deletion", "erase"),
)
CLOCKS_NOW = (*CLOCKS[:12], "consent_ends", *CLOCKS[12:])


def upgrade() -> None:
    """Allow the new kind of deadline."""
    say(CLOCKS_NOW)


def downgrade() -> None:
    """Forbid this kind, and delete its deadlines, missed deadlines and time limits."""
    op.execute("DELETE FROM firing WHERE kind = 'consent_ends'")
    op.execute("DELETE FROM clock WHERE kind = 'consent_ends'")
    op.execute("DELETE FROM time_limit WHERE clock = 'consent_ends'")
    say(CLOCKS)


def say(kinds: tuple[str, ...]) -> None:
    """Set the allowed kinds of deadlines in each table that names a kind."""
    set_allowed_values("clock", "kind", "ck_clock_clockkind", kinds)
    set_allowed_values("firing", "kind", "ck_firing_clockkind", kinds)
    set_allowed_values("time_limit", "clock", "ck_time_limit_clockkind", kinds)
