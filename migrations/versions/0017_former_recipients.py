"""Expand: a former recipient keeps access to its referral, but not to the case."""

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
    """Allow the relation `former_recipient`."""
    set_allowed_values("party", "relation", "ck_party_relation", RELATIONS_NOW)


def downgrade() -> None:
    """Turn former recipients into recipients again, and forbid the relation."""
    op.execute(
        "UPDATE party SET relation = 'recipient' WHERE relation = 'former_recipient'"
    )
    set_allowed_values("party", "relation", "ck_party_relation", RELATIONS)
