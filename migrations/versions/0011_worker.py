"""Expand: the missed deadlines that the worker has recorded, and its heartbeats.

A deadline of the previous version of the code has no `fires_at`, and is handled when it is
due.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

APP_ROLE = "safe_conduct_app"
COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
RUNNING = sa.text("stopped_at IS NULL")
PARTS = ("clocks",)
KINDS = (
    *("acknowledge", "decide_lead", "decide_referral", "meet_person", "give_feedback"),
    *("answer_handover", "review", "review_risk", "confirm_arrival", "monitor"),
    *("review_closure", "assess_interests", "answer", "approve", "finish_draft"),
    *("confirm_deletion", "erase"),
)


def upgrade() -> None:
    """Create the tables, and add columns to the deadlines."""
    op.add_column("clock", sa.Column("fires_at", INSTANT))
    failures = sa.Column("failures", sa.Integer(), nullable=False, server_default="0")
    op.add_column("clock", failures)
    op.create_index(
        "ix_clock_due_at",
        "clock",
        ["due_at"],
        sqlite_where=RUNNING,
        postgresql_where=RUNNING,
    )
    create_firings()
    op.create_table(
        "heartbeat",
        sa.Column("part", one_of("part", PARTS), primary_key=True),
        sa.Column("at", INSTANT, nullable=False),
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"GRANT SELECT, INSERT ON firing TO {APP_ROLE}")
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON heartbeat TO {APP_ROLE}")


def downgrade() -> None:
    """Drop the tables and columns. The records of missed deadlines are lost."""
    op.drop_table("heartbeat")
    op.drop_table("firing")
    op.drop_index("ix_clock_due_at", "clock")
    op.drop_column("clock", "failures")
    op.drop_column("clock", "fires_at")


def one_of(name: str, values: tuple[str, ...]) -> sa.Enum:
    """Return an enum type, stored as text with a CHECK, so that it is easy to extend."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def create_firings() -> None:
    """Create the table of missed deadlines: one row for each miss of a deadline."""
    clock = sa.ForeignKey("clock.number")
    op.create_table(
        "firing",
        sa.Column("clock_number", COUNTER, clock, primary_key=True, autoincrement=False),
        sa.Column("generation", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("record_id", sa.Uuid(), nullable=False, index=True),
        sa.Column("kind", one_of("clockkind", KINDS), nullable=False),
        sa.Column("waits_on", sa.Uuid()),
        sa.Column("at", INSTANT, nullable=False),
    )
    op.create_index("ix_firing_case_id_waits_on", "firing", ["case_id", "waits_on"])
