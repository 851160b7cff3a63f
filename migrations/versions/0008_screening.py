"""Expand: screenings, whose outcomes are not encrypted.

The service may add screenings, but may not change them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

APP_ROLE = "safe_conduct_app"
OUTCOMES = ("indicated", "not_indicated_yet")
COUNTED = ("adult", "child")


def upgrade() -> None:
    """Create the table, and let the service read and add rows."""
    op.create_table(
        "screening",
        sa.Column("id", sa.Uuid(), primary_key=True),
        refers("case_id", "case.id", index=True),
        sa.Column("outcome", one_of("presumption", OUTCOMES), nullable=False),
        sa.Column("counted_as", one_of("countedas", COUNTED), nullable=False),
        sa.Column("scoring", sa.String(), nullable=False),
        refers("screened_by", "focal_point.id"),
        sa.Column("screened_at", sa.DateTime(timezone=True), nullable=False),
    )
    if op.get_context().dialect.name != "sqlite":
        op.execute(f"GRANT SELECT, INSERT ON screening TO {APP_ROLE}")


def downgrade() -> None:
    """Drop the table with its rights. Every screening is lost."""
    op.drop_table("screening")


def one_of(name: str, values: tuple[str, ...]) -> sa.Enum:
    """Return an enum type, stored as text with a CHECK, so that it is easy to extend."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def refers(name: str, target: str, *, index: bool | None = None) -> sa.Column[object]:
    """Return a column that has a foreign key and is not null."""
    to = sa.ForeignKey(target)
    return sa.Column(name, sa.Uuid(), to, nullable=False, index=index)
