"""Expand: a recipient whose part has ended keeps its referral, and not the case."""

from alembic import op

from app.kernel.migrations import set_allowed_values

revision = "0017"
down_revision = "0016"

RELATIONS = (
    *("submitter", "candidate", "lead", "desk", "escalation_desk"),
    *("former_lead", "recipient", "handover_candidate", "oversight"),
)
RELATIONS_NOW = (*RELATIONS[:7], "former_recipient", *RELATIONS[7:])


def upgrade() -> None:
    """Make room for it."""
    set_allowed_values("party", "relation", "ck_party_relation", RELATIONS_NOW)


def downgrade() -> None:
    """Undo it: whose part had ended has it again, until it says that it deleted."""
    op.execute(
        "UPDATE party SET relation = 'recipient' WHERE relation = 'former_recipient'"
    )
    set_allowed_values("party", "relation", "ck_party_relation", RELATIONS)
