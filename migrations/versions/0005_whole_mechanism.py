"""Expand: facts, vital interests and questions, and more columns of cases and referrals."""

import sqlalchemy as sa
from alembic import op

from app.kernel.migrations import COUNTS, set_allowed_values

revision = "0005"
down_revision = "0004"

APP_ROLE = "safe_conduct_app"
COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
FACTS = (
    *("identification", "guardian", "best_interests", "reflection_period", "legal_hold"),
)
REASONS = ("RISK_TO_LIFE", "SERIOUS_HARM", "CHILD_UNPROTECTED")
GROUNDS = ("consent", "child_path", "vital_interest")
CLOCKS = (
    *("acknowledge", "decide_lead", "decide_referral", "meet_person", "give_feedback"),
    *("review", "review_risk", "monitor", "answer", "approve", "finish_draft"),
    *("confirm_deletion", "erase"),
)
RELATIONS = (
    *("submitter", "candidate", "lead", "desk"),
    *("former_lead", "recipient", "handover_candidate", "oversight"),
)
CLOCKS_NOW = (*CLOCKS[:8], "review_closure", "assess_interests", *CLOCKS[8:])
RELATIONS_NOW = (*RELATIONS[:4], "escalation_desk", *RELATIONS[4:])
TABLES = ("fact", "vital_interest", "question")
WIDER = (
    ("clock", "kind", "ck_clock_clockkind", CLOCKS, CLOCKS_NOW),
    ("party", "relation", "ck_party_relation", RELATIONS, RELATIONS_NOW),
)


def upgrade() -> None:
    """Create the tables, and extend existing tables."""
    create_facts()
    create_vital_interests()
    create_questions()
    for table, column, name, _, now in WIDER:
        set_allowed_values(table, column, name, now)
    op.add_column("case", sa.Column("relocated_at", INSTANT))
    op.add_column("case", listed("visits"))
    widen_referrals()
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"GRANT SELECT, INSERT ON fact, vital_interest TO {APP_ROLE}")
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON question TO {APP_ROLE}")
        op.execute(f"GRANT USAGE ON SEQUENCE {sequences()} TO {APP_ROLE}")


def downgrade() -> None:
    """Drop the tables and columns, with deadlines and relations of the new kinds."""
    with op.batch_alter_table("referral", table_kwargs=COUNTS) as referral:
        referral.drop_constraint(op.f("ck_referral_basis"), type_="check")
        for name in ("predecessor_id", "basis", "asked"):
            referral.drop_column(name)
    with op.batch_alter_table("case", table_kwargs=COUNTS) as case:
        case.drop_column("visits")
        case.drop_column("relocated_at")
    for table, column, name, known, now in WIDER:
        gone = ", ".join(f"'{value}'" for value in set(now) - set(known))
        op.execute(f"DELETE FROM {table} WHERE {column} IN ({gone})")  # noqa: S608 - constants
        set_allowed_values(table, column, name, known)
    for table in reversed(TABLES):
        op.drop_table(table)


def widen_referrals() -> None:
    """Add to referrals the requested information, the legal basis and the predecessor."""
    if op.get_context().dialect.name == "postgresql":
        op.add_column("referral", listed("asked"))
        op.add_column("referral", sa.Column("basis", sa.String(40)))
        op.add_column("referral", sa.Column("predecessor_id", sa.Uuid()))
        op.create_check_constraint(
            op.f("ck_referral_basis"), "referral", f"basis IN {GROUNDS}"
        )
        name, column = "fk_referral_predecessor_id", "predecessor_id"
        op.create_foreign_key(op.f(name), "referral", "referral", [column], ["id"])
        return
    with op.batch_alter_table("referral", table_kwargs=COUNTS) as referral:
        referral.add_column(listed("asked"))
        referral.add_column(sa.Column("basis", one_of("basis", GROUNDS)))
        to_itself = sa.ForeignKey("referral.id", name="fk_referral_predecessor_id")
        referral.add_column(sa.Column("predecessor_id", sa.Uuid(), to_itself))


def one_of(name: str, values: tuple[str, ...]) -> sa.Enum:
    """Return an enum type, stored as text with a CHECK, so that it is easy to extend."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def listed(name: str) -> sa.Column[object]:
    """Return a JSON column that has an empty list in existing rows."""
    return sa.Column(name, sa.JSON(), nullable=False, server_default="[]")


def refers(
    name: str, target: str, *, nullable: bool = False, index: bool | None = None
) -> sa.Column[object]:
    """Return a column with a foreign key."""
    to = sa.ForeignKey(target)
    return sa.Column(name, sa.Uuid(), to, nullable=nullable, index=index)


def sequences() -> str:
    """Return the names of the sequences of the tables, separated by commas."""
    return ", ".join(f"{table}_number_seq" for table in TABLES)


def create_facts() -> None:
    """Create the table of facts that are recorded in addition to the state of a case."""
    op.create_table(
        "fact",
        sa.Column("number", COUNTER, primary_key=True),
        sa.Column("id", sa.Uuid(), nullable=False, unique=True),
        refers("case_id", "case.id", index=True),
        sa.Column("name", one_of("factname", FACTS), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("country", sa.String(2)),
        refers("body", "focal_point.id", nullable=True),
        sa.Column("ends_on", sa.Date()),
        refers("recorded_by", "focal_point.id", nullable=True),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )


def create_vital_interests() -> None:
    """Create the table of declarations of a vital interest."""
    op.create_table(
        "vital_interest",
        sa.Column("number", COUNTER, primary_key=True),
        sa.Column("id", sa.Uuid(), nullable=False, unique=True),
        refers("case_id", "case.id", index=True),
        sa.Column("reason", one_of("vitalreason", REASONS), nullable=False),
        refers("declared_by", "focal_point.id"),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("declared_at", INSTANT, nullable=False),
        sa.Column("holds_until", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )


def create_questions() -> None:
    """Create the table of questions that the holder of a case asks the submitter."""
    op.create_table(
        "question",
        sa.Column("number", COUNTER, primary_key=True),
        sa.Column("id", sa.Uuid(), nullable=False, unique=True),
        refers("case_id", "case.id", index=True),
        sa.Column("topics", sa.JSON(), nullable=False),
        refers("asked_by", "focal_point.id"),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("answered_at", INSTANT),
        sqlite_autoincrement=True,
    )
