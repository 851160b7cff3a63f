"""Expand: the history of the directory, and approval requests that belong to no case.

`approval.case_id` may be null from this migration on. A downgrade deletes such requests and
the history. The service may add rows to the history, and triggers stop updates and
deletions, even by the owner (ADR 10).
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

APP_ROLE = "safe_conduct_app"
COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
TABLE = "directory_change"
NAMES = {
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
}
DECISIONS = ("pending", "approved", "refused", "spent")

ON_POSTGRESQL = f"""CREATE TRIGGER {TABLE}_kept
BEFORE UPDATE OR DELETE OR TRUNCATE ON {TABLE}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()"""
ON_SQLITE = """CREATE TRIGGER {table}_kept_from_{change} BEFORE {change} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is never rewritten'); END"""


def upgrade() -> None:
    """Create the history with its triggers, and allow approval requests without a case."""
    create_changes()
    keep_changes()
    let_case_be_empty(empty=True)


def downgrade() -> None:
    """Drop the history with its triggers, rights and sequence, and require a case again."""
    op.execute("DELETE FROM approval WHERE case_id IS NULL")
    let_case_be_empty(empty=False)
    op.drop_table(TABLE)


def create_changes() -> None:
    """Create the table of changes, with the row of the directory before and after each."""
    op.create_table(
        TABLE,
        sa.Column("number", COUNTER, primary_key=True),
        sa.Column("id", sa.Uuid(), nullable=False, unique=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("before", sa.JSON()),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("account_id", sa.Uuid()),
        sa.Column("approved_by", sa.Uuid()),
        sqlite_autoincrement=True,
    )


def keep_changes() -> None:
    """Let the service add and read rows, and stop all other changes."""
    if op.get_context().dialect.name == "sqlite":
        for change in ("update", "delete"):
            op.execute(ON_SQLITE.format(table=TABLE, change=change))
        return
    op.execute(f"GRANT SELECT, INSERT ON {TABLE} TO {APP_ROLE}")
    op.execute(f"GRANT USAGE ON SEQUENCE {TABLE}_number_seq TO {APP_ROLE}")
    op.execute(ON_POSTGRESQL)


def let_case_be_empty(*, empty: bool) -> None:
    """Allow or forbid null in `case_id`. On SQLite, Alembic recreates the whole table."""
    as_it_is = approvals(case_may_be_empty=not empty)
    with op.batch_alter_table("approval", copy_from=as_it_is) as table:
        table.alter_column("case_id", existing_type=sa.Uuid(), nullable=empty)


def approvals(*, case_may_be_empty: bool) -> sa.Table:
    """Return the table of approvals as in 0001, but with the given rule for `case_id`."""
    office, asker, decider = (
        sa.ForeignKey(of) for of in ("focal_point.id", "account.id", "account.id")
    )
    decision = sa.Enum(
        *DECISIONS,
        name="approvalstate",
        native_enum=False,
        create_constraint=True,
        length=40,
    )
    return sa.Table(
        "approval",
        sa.MetaData(naming_convention=NAMES),
        sa.Column("number", COUNTER, primary_key=True),
        sa.Column("id", sa.Uuid(), nullable=False, unique=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=case_may_be_empty),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("decision", decision, nullable=False),
        sa.Column("focal_point_id", sa.Uuid(), office, nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), asker, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("lapses_at", INSTANT, nullable=False),
        sa.Column("decided_by", sa.Uuid(), decider),
        sa.Column("decided_at", INSTANT),
        sa.Index("ix_approval_focal_point_id_number", "focal_point_id", "number"),
        sqlite_autoincrement=True,
    )
