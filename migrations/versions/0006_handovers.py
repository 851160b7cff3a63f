"""Expand: handovers of the lead of a case, and the deadlines for answering them."""

import sqlalchemy as sa
from alembic import op

from app.kernel.migrations import set_allowed_values

revision = "0006"
down_revision = "0005"

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
UNDECIDED = sa.text("state = 'offered'")
STATES = ("offered", "effective", "declined", "cancelled", "expired")
BEFORE = ("acknowledge", "decide_lead", "decide_referral", "meet_person", "give_feedback")
AFTER = (
    *("review", "review_risk", "monitor", "review_closure", "assess_interests"),
    *("answer", "approve", "finish_draft"),
    *("confirm_deletion", "erase"),
)
APP_ROLE = "safe_conduct_app"


def upgrade() -> None:
    """Create the table of handovers, and allow deadlines for their answers."""
    create_handovers()
    set_allowed_values(
        "clock", "kind", "ck_clock_clockkind", (*BEFORE, "answer_handover", *AFTER)
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON handover TO {APP_ROLE}")
        op.execute(f"GRANT USAGE ON SEQUENCE handover_number_seq TO {APP_ROLE}")


def downgrade() -> None:
    """Drop the table. Handovers are lost, with their deadlines and parties."""
    op.execute("DELETE FROM clock WHERE kind = 'answer_handover'")
    op.execute("DELETE FROM party WHERE record_id IN (SELECT id FROM handover)")
    set_allowed_values("clock", "kind", "ck_clock_clockkind", (*BEFORE, *AFTER))
    op.drop_table("handover")


def one_of(name: str, values: tuple[str, ...]) -> sa.Enum:
    """Return an enum type, stored as text with a CHECK, so that it is easy to extend."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def refers(name: str, target: str) -> sa.Column[object]:
    """Return a column that has a foreign key and is not null."""
    return sa.Column(name, sa.Uuid(), sa.ForeignKey(target), nullable=False)


def create_handovers() -> None:
    """Create the table of handovers, with at most one offered handover for each case."""
    op.create_table(
        "handover",
        sa.Column("number", COUNTER, primary_key=True),
        sa.Column("id", sa.Uuid(), nullable=False, unique=True),
        refers("case_id", "case.id"),
        refers("lead_id", "focal_point.id"),
        refers("successor_id", "focal_point.id"),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", one_of("state", STATES), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("decline_reason", sa.String()),
        sa.Column("offered_at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_handover_case_id", "handover", ["case_id"])
    op.create_index(
        "uq_handover_open",
        "handover",
        ["case_id"],
        unique=True,
        sqlite_where=UNDECIDED,
        postgresql_where=UNDECIDED,
    )
