"""Expand: the time limits of countries and agreements.

Without a row, the defaults of the code apply, as they did before this migration.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

APP_ROLE = "safe_conduct_app"
TABLE = "time_limit"
CLOCKS = (
    *("acknowledge", "decide_lead", "decide_referral", "meet_person", "give_feedback"),
    *("answer_handover", "review", "review_risk", "confirm_arrival", "monitor"),
    *("review_closure", "assess_interests", "answer", "approve", "finish_draft"),
    *("confirm_deletion", "erase"),
)
HASTES = ("emergency", "urgent", "normal", "any")
UNITS = ("hours", "days", "working_days", "months")
CONFIDENCES = ("high", "medium", "low", "fictitious", "configured")


def upgrade() -> None:
    """Create the table. The service may not delete rows."""
    op.create_table(
        TABLE,
        sa.Column("of", sa.String(40), primary_key=True),
        sa.Column("clock", one_of("clockkind", CLOCKS), primary_key=True),
        sa.Column("priority", one_of("haste", HASTES), primary_key=True),
        sa.Column("amount", sa.Integer()),
        sa.Column("unit", one_of("unit", UNITS)),
        sa.Column("confidence", one_of("confidence", CONFIDENCES), nullable=False),
        sa.Column("source", sa.String()),
        sa.Column("as_of", sa.String()),
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {TABLE} TO {APP_ROLE}")


def downgrade() -> None:
    """Drop the table. The defaults of the code apply again."""
    op.drop_table(TABLE)


def one_of(name: str, values: tuple[str, ...]) -> sa.Enum:
    """Return an enum type, stored as text with a CHECK, so that it is easy to extend."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)
