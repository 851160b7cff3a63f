"""Expand: screenings, of which only the outcome stands in clear.

The service adds them and never changes one: a presumption stays as it was made.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

APP_ROLE = "safe_conduct_app"
OUTCOMES = ("indicated", "not_indicated_yet")
COUNTED = ("adult", "child")


def upgrade() -> None:
    """Make the table, and let the service add to it."""
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
    """Undo it: every screening is lost, and its rights with it."""
    op.drop_table("screening")


def one_of(name: str, values: tuple[str, ...]) -> sa.Enum:
    """Spell a closed list as text with a CHECK, which is easy to widen later."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def refers(name: str, target: str, *, index: bool | None = None) -> sa.Column[object]:
    """Spell a column that always refers to another table."""
    to = sa.ForeignKey(target)
    return sa.Column(name, sa.Uuid(), to, nullable=False, index=index)
