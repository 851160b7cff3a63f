"""Expand: the checklists of returns, and the clearance that they give to referrals."""

import sqlalchemy as sa
from alembic import op

from app.kernel.migrations import COUNTS, set_allowed_values

revision = "0010"
down_revision = "0009"

APP_ROLE = "safe_conduct_app"
COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
STATES = (
    *("opened", "informed", "permitted", "assessing", "cleared", "documented"),
    *("planning", "planned", "in_transit", "arrived", "monitoring", "completed"),
    *("no_go", "called_off", "halted", "ended"),
)
ACTIONS = (
    *("inform", "permit_contact", "verify_nationality", "assess_destination"),
    *("assess_origin", "determine_interests", "receive_child", "go", "no_go"),
    *("issue_document", "plan", "accept_plan", "depart", "arrive", "monitor", "report"),
    *("finish", "call_off", "end", "account_for"),
)
LEVELS = ("low", "medium", "high")
CLEARANCES = ("cleared", "done")
CLOCKS = (
    *("acknowledge", "decide_lead", "decide_referral", "meet_person", "give_feedback"),
    *("answer_handover", "review", "review_risk", "monitor", "review_closure"),
    "assess_interests",
    *("answer", "approve", "finish_draft", "confirm_deletion", "erase"),
)
CLOCKS_NOW = (*CLOCKS[:8], "confirm_arrival", *CLOCKS[8:])
TABLES = ("return_checklist", "return_step")


def upgrade() -> None:
    """Create the tables, and extend existing tables."""
    create_checklists()
    create_steps()
    set_allowed_values("clock", "kind", "ck_clock_clockkind", CLOCKS_NOW)
    give_clearance()
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON return_checklist TO {APP_ROLE}")
        op.execute(f"GRANT SELECT, INSERT ON return_step TO {APP_ROLE}")
        op.execute(f"GRANT USAGE ON SEQUENCE {sequences()} TO {APP_ROLE}")


def downgrade() -> None:
    """Drop the tables. Returns are lost, with the deadlines of arrivals."""
    with op.batch_alter_table("referral", table_kwargs=COUNTS) as referral:
        referral.drop_constraint(op.f("ck_referral_clearance"), type_="check")
        referral.drop_column("clearance")
    op.execute("DELETE FROM clock WHERE kind = 'confirm_arrival'")
    set_allowed_values("clock", "kind", "ck_clock_clockkind", CLOCKS)
    for table in reversed(TABLES):
        op.drop_table(table)


def give_clearance() -> None:
    """Add to referrals a column for the clearance that a checklist gives."""
    if op.get_context().dialect.name == "postgresql":
        op.add_column("referral", sa.Column("clearance", sa.String(40)))
        op.create_check_constraint(
            op.f("ck_referral_clearance"), "referral", f"clearance IN {CLEARANCES}"
        )
        return
    with op.batch_alter_table("referral", table_kwargs=COUNTS) as referral:
        referral.add_column(sa.Column("clearance", one_of("clearance", CLEARANCES)))


def one_of(name: str, values: tuple[str, ...]) -> sa.Enum:
    """Return an enum type, stored as text with a CHECK, so that it is easy to extend."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def refers(
    name: str, target: str, *, index: bool | None = None, unique: bool | None = None
) -> sa.Column[object]:
    """Return a column that has a foreign key and is not null."""
    to = sa.ForeignKey(target)
    return sa.Column(name, sa.Uuid(), to, nullable=False, index=index, unique=unique)


def sequences() -> str:
    """Return the names of the sequences of the tables, separated by commas."""
    return ", ".join(f"{table}_number_seq" for table in TABLES)


def create_checklists() -> None:
    """Create the table of the checklists of returns."""
    op.create_table(
        "return_checklist",
        sa.Column("number", COUNTER, primary_key=True),
        sa.Column("id", sa.Uuid(), nullable=False, unique=True),
        refers("case_id", "case.id", index=True),
        refers("referral_id", "referral.id", unique=True),
        sa.Column("state", one_of("state", STATES), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("visits", sa.JSON(), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )


def create_steps() -> None:
    """Create the table of the steps of returns, each with its office, account and time."""
    op.create_table(
        "return_step",
        sa.Column("number", COUNTER, primary_key=True),
        sa.Column("id", sa.Uuid(), nullable=False, unique=True),
        refers("return_id", "return_checklist.id", index=True),
        sa.Column("action", one_of("action", ACTIONS), nullable=False),
        refers("focal_point_id", "focal_point.id"),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("result", sa.String()),
        sa.Column("level", one_of("risklevel", LEVELS)),
        sa.Column("threats", sa.JSON(), nullable=False),
        sa.Column("services", sa.JSON(), nullable=False),
        sqlite_autoincrement=True,
    )
