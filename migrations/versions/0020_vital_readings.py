"""Expand: emergency accesses, their deadlines, and references from the access log."""

import sqlalchemy as sa
from alembic import op

from app.kernel.migrations import enable_row_security, set_allowed_values

revision = "0020"
down_revision = "0019"

APP_ROLE = "safe_conduct_app"
COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
REASONS = ("RISK_TO_LIFE", "SERIOUS_HARM", "CHILD_UNPROTECTED")
PURPOSES = ("assessment", "referral", "assistance", "protection", "correction")
CLOCKS = (
    *("acknowledge", "decide_lead", "decide_referral", "meet_person", "give_feedback"),
    *("answer_handover", "review", "review_risk", "confirm_arrival", "monitor"),
    *("review_closure", "assess_interests", "consent_ends"),
    *("answer", "approve", "finish_draft", "confirm_deletion", "erase"),
)
NEW = ("decide_reading", "reading_ends", "tell_person")
CLOCKS_NOW = (*CLOCKS[:13], *NEW, *CLOCKS[13:])


def upgrade() -> None:
    """Create the table, and extend existing tables."""
    create_vital_readings()
    op.add_column("access_entry", sa.Column("vital_reading_id", sa.Uuid()))
    say(CLOCKS_NOW)
    if op.get_context().dialect.name != "sqlite":
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON vital_reading TO {APP_ROLE}")
        op.execute(f"GRANT USAGE ON SEQUENCE vital_reading_number_seq TO {APP_ROLE}")
        enable_row_security("vital_reading")


def downgrade() -> None:
    """Drop the table and the deadlines. Only the journal then shows emergency accesses."""
    gone = ", ".join(f"'{kind}'" for kind in NEW)
    op.execute(f"DELETE FROM firing WHERE kind IN ({gone})")  # noqa: S608 - constants
    op.execute(f"DELETE FROM clock WHERE kind IN ({gone})")  # noqa: S608 - constants
    op.execute(f"DELETE FROM time_limit WHERE clock IN ({gone})")  # noqa: S608 - constants
    say(CLOCKS)
    op.execute("ALTER TABLE access_entry DROP COLUMN vital_reading_id")
    op.drop_table("vital_reading")


def say(kinds: tuple[str, ...]) -> None:
    """Set the allowed kinds of deadlines in each table that names a kind."""
    set_allowed_values("clock", "kind", "ck_clock_clockkind", kinds)
    set_allowed_values("firing", "kind", "ck_firing_clockkind", kinds)
    set_allowed_values("time_limit", "clock", "ck_time_limit_clockkind", kinds)


def create_vital_readings() -> None:
    """Create the table of emergency accesses: request, decision and review."""
    op.create_table(
        "vital_reading",
        sa.Column("number", COUNTER, primary_key=True),
        sa.Column("id", sa.Uuid(), nullable=False, unique=True),
        refers("case_id", "case.id", index=True),
        sa.Column("reason", one_of("vitalreason", REASONS), nullable=False),
        sa.Column("purpose", one_of("readingpurpose", PURPOSES), nullable=False),
        sa.Column("sections", sa.JSON(), nullable=False),
        refers("asked_by", "focal_point.id"),
        sa.Column("account_id", sa.Uuid(), nullable=False, index=True),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("holds_until", INSTANT, nullable=False),
        refers("decided_by", "focal_point.id", nullable=True),
        sa.Column("decided_account", sa.Uuid()),
        sa.Column("decided_at", INSTANT),
        sa.Column("granted", sa.Boolean()),
        sa.Column("ended_at", INSTANT),
        sa.Column("person_told_at", INSTANT),
        sa.Column("reviewed_at", INSTANT),
        sa.Column("justified", sa.Boolean()),
        sqlite_autoincrement=True,
    )


def one_of(name: str, values: tuple[str, ...]) -> sa.Enum:
    """Return an enum type, stored as text with a CHECK, so that it is easy to extend."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def refers(
    name: str, target: str, *, nullable: bool = False, index: bool | None = None
) -> sa.Column[object]:
    """Return a column with a foreign key."""
    to = sa.ForeignKey(target)
    return sa.Column(name, sa.Uuid(), to, nullable=nullable, index=index)
