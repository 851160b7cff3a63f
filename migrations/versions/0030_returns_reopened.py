"""Expand: a return is reopened if the person turns out to be a child, or an adult."""

from alembic import op

from app.kernel.migrations import set_allowed_values

revision = "0030"
down_revision = "0029"

ACTIONS = (
    *("inform", "permit_contact", "verify_nationality", "assess_destination"),
    *("assess_origin", "determine_interests", "receive_child", "go", "no_go"),
    *("issue_document", "plan", "accept_plan", "depart", "arrive", "monitor", "report"),
    *("finish", "call_off", "end", "account_for"),
)
ACTIONS_NOW = (*ACTIONS[:8], "reopen", *ACTIONS[8:])


def upgrade() -> None:
    """Allow the step `reopen`."""
    set_allowed_values("return_step", "action", "ck_return_step_action", ACTIONS_NOW)


def downgrade() -> None:
    """Delete the steps of this kind, and forbid the kind."""
    op.execute("DELETE FROM return_step WHERE action = 'reopen'")
    set_allowed_values("return_step", "action", "ck_return_step_action", ACTIONS)
