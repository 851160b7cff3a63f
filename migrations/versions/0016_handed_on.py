"""Expand: snapshots of summaries for submitters, and the openers of referrals (R12).

A case that is past the states `draft`, `submitted` and `under_review` gets its current
summary.
"""

import sqlalchemy as sa
from alembic import op

from app.kernel.migrations import COUNTS

revision = "0016"
down_revision = "0015"

APP_ROLE = "safe_conduct_app"
AGES = ("adult", "child", "presumed_child")
PRIORITIES = ("emergency", "urgent", "normal")
ANSWERS = ("yes", "no", "not_known")
FIELDS = (
    *("country", "age_class", "language", "priority", "services", "urgent_needs"),
    "safe_contact",
)
MINE = ("draft", "submitted", "under_review")


def upgrade() -> None:
    """Create the table of summaries, fill it, and add the opener to referrals."""
    op.create_table(
        "handed_on",
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("case.id"), primary_key=True),
        sa.Column("country", sa.String(2)),
        sa.Column("age_class", one_of("ageclass", AGES)),
        sa.Column("language", sa.String()),
        sa.Column("priority", one_of("priority", PRIORITIES)),
        sa.Column("services", sa.JSON(), nullable=False),
        sa.Column("urgent_needs", sa.JSON(), nullable=False),
        sa.Column("safe_contact", one_of("safecontact", ANSWERS)),
    )
    fields = ", ".join(FIELDS)
    op.execute(
        f"INSERT INTO handed_on (case_id, {fields}) "  # noqa: S608 - constants
        f'SELECT id, {fields} FROM "case" WHERE state NOT IN {MINE}'
    )
    name_openers()
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON handed_on TO {APP_ROLE}")


def downgrade() -> None:
    """Drop the table and the column. A submitter then reads the current summary."""
    with op.batch_alter_table("referral", table_kwargs=COUNTS) as referral:
        referral.drop_column("opened_by")
    op.drop_table("handed_on")


def name_openers() -> None:
    """Add a column for the office that opened a referral; existing referrals have null."""
    if op.get_context().dialect.name == "postgresql":
        op.add_column("referral", sa.Column("opened_by", sa.Uuid()))
        name, column = "fk_referral_opened_by", "opened_by"
        op.create_foreign_key(op.f(name), "referral", "focal_point", [column], ["id"])
        return
    with op.batch_alter_table("referral", table_kwargs=COUNTS) as referral:
        to = sa.ForeignKey("focal_point.id", name="fk_referral_opened_by")
        referral.add_column(sa.Column("opened_by", sa.Uuid(), to))


def one_of(name: str, values: tuple[str, ...]) -> sa.Enum:
    """Return an enum type, stored as text with a CHECK, so that it is easy to extend."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)
