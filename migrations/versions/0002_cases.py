"""Expand: cases, with their parties, sealed documents, deadlines, risks and shortlists."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
OPEN = sa.text("until IS NULL")
RUNNING = sa.text("stopped_at IS NULL")
STATES = (
    *("draft", "submitted", "under_review", "referring", "assisting", "suspended"),
    *("monitoring", "closed", "void", "erased"),
)
AGES = ("adult", "child", "presumed_child")
PRIORITIES = ("emergency", "urgent", "normal")
CONTACT = ("yes", "no", "not_known")
RELATIONS = (
    *("submitter", "candidate", "lead", "desk"),
    *("former_lead", "recipient", "handover_candidate", "oversight"),
)
RISKS = ("low", "medium", "high")
CLOCKS = (
    *("acknowledge", "decide_lead", "decide_referral", "meet_person", "give_feedback"),
    *("review", "review_risk", "monitor", "answer", "approve", "finish_draft"),
    *("confirm_deletion", "erase"),
)
TABLES = (
    *("clock", "case", "party", "case_key", "sealed", "risk_assessment"),
    *("shortlisted", "left_out"),
)


def upgrade() -> None:
    """Create the tables of cases, without consents and referrals."""
    create_clocks()
    create_cases()
    create_parties()
    create_sealed()
    create_risk_assessments()
    create_shortlists()


def downgrade() -> None:
    """Drop the tables. Every case is lost."""
    for table in reversed(TABLES):
        op.drop_table(table)


def one_of(name: str, values: tuple[str, ...]) -> sa.Enum:
    """Return an enum type, stored as text with a CHECK, so that it is easy to extend."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def refers(
    name: str, target: str, *, primary_key: bool = False, index: bool | None = None
) -> sa.Column[object]:
    """Return a column that has a foreign key and is not null."""
    to = sa.ForeignKey(target)
    return sa.Column(
        name, sa.Uuid(), to, nullable=False, primary_key=primary_key, index=index
    )


def create_clocks() -> None:
    """Create the table of deadlines, with at most one running deadline for each record."""
    op.create_table(
        "clock",
        sa.Column("number", COUNTER, primary_key=True),
        sa.Column("case_id", sa.Uuid(), nullable=False, index=True),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("kind", one_of("clockkind", CLOCKS), nullable=False),
        sa.Column("waits_on", sa.Uuid()),
        sa.Column("set_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("stopped_at", INSTANT),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_clock_worklist",
        "clock",
        ["waits_on", "due_at", "number"],
        sqlite_where=RUNNING,
        postgresql_where=RUNNING,
    )
    op.create_index(
        "uq_clock_running",
        "clock",
        ["record_id"],
        unique=True,
        sqlite_where=RUNNING,
        postgresql_where=RUNNING,
    )


def create_cases() -> None:
    """Create the table of cases, with the summary unencrypted."""
    op.create_table(
        "case",
        sa.Column("number", COUNTER, primary_key=True),
        sa.Column("id", sa.Uuid(), nullable=False, unique=True),
        sa.Column("code", sa.String(19), nullable=False, unique=True),
        sa.Column("state", one_of("state", STATES), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("country", sa.String(2)),
        sa.Column("age_class", one_of("ageclass", AGES)),
        sa.Column("language", sa.String()),
        sa.Column("priority", one_of("priority", PRIORITIES)),
        sa.Column("services", sa.JSON(), nullable=False),
        sa.Column("urgent_needs", sa.JSON(), nullable=False),
        sa.Column("safe_contact", one_of("safecontact", CONTACT)),
        sa.Column("external_digest", sa.String(), unique=True),
        sa.Column("closure_reason", sa.String()),
        sa.Column("opened_at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )


def create_parties() -> None:
    """Create the table of parties; open relations of an office to a record are unique."""
    op.create_table(
        "party",
        sa.Column("number", COUNTER, primary_key=True),
        refers("case_id", "case.id", index=True),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        refers("focal_point_id", "focal_point.id"),
        sa.Column("relation", one_of("relation", RELATIONS), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("until", INSTANT),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_party_focal_point_id_number", "party", ["focal_point_id", "number"])
    op.create_index(
        "uq_party_open",
        "party",
        ["record_id", "focal_point_id", "relation"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )


def create_sealed() -> None:
    """Create tables of case keys and sealed documents. Deleting a key erases its case."""
    op.create_table(
        "case_key",
        refers("case_id", "case.id", primary_key=True),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "sealed",
        sa.Column("id", sa.Uuid(), primary_key=True),
        refers("case_id", "case.id", index=True),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("about", sa.String()),
        refers("author", "focal_point.id"),
        sa.Column("written_at", INSTANT, nullable=False),
        sa.Column("key_version", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_sealed_record_id_kind", "sealed", ["record_id", "kind"])


def create_risk_assessments() -> None:
    """Create the table of risk assessments, each with its level and time."""
    op.create_table(
        "risk_assessment",
        sa.Column("id", sa.Uuid(), primary_key=True),
        refers("case_id", "case.id", index=True),
        sa.Column("level", one_of("risklevel", RISKS), nullable=False),
        refers("assessed_by", "focal_point.id"),
        sa.Column("assessed_at", INSTANT, nullable=False),
    )


def create_shortlists() -> None:
    """Create the tables of offices that may and that may not lead a case, with reasons."""
    op.create_table(
        "shortlisted",
        refers("case_id", "case.id", primary_key=True),
        sa.Column("place", sa.Integer(), primary_key=True, autoincrement=False),
        refers("focal_point_id", "focal_point.id"),
        sa.Column("reasons", sa.JSON(), nullable=False),
        sa.Column("asked_at", INSTANT),
        sa.Column("left_at", INSTANT),
    )
    op.create_table(
        "left_out",
        refers("case_id", "case.id", primary_key=True),
        sa.Column("focal_point", sa.String(), primary_key=True),
        sa.Column("reasons", sa.JSON(), nullable=False),
    )
