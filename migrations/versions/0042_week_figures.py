"""Expand: the figures of each week, which identify nobody and survive erasures (ADR 73)."""

import sqlalchemy as sa
from alembic import op

from app.kernel.migrations import set_allowed_values

revision = "0042"
down_revision = "0041"

PARTS = ("clocks", "notices", "erasures", "webhooks")
NAMES = (
    *("cases", "age_and_gender", "exploitation", "services_asked", "services_given"),
    *("assistance", "handovers", "returns"),
)
IS_NAME = f"name IN ({', '.join(map(repr, NAMES))})"
APP_ROLE = "safe_conduct_app"
TABLES = ("counted_week", "week_figures")


def upgrade() -> None:
    """Create the tables, without rights to change rows, and allow a new heartbeat."""
    set_allowed_values("heartbeat", "part", "ck_heartbeat_part", (*PARTS, "figures"))
    op.create_table("counted_week", sa.Column("monday", sa.Date(), primary_key=True))
    op.create_table(
        "week_figures",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("monday", sa.Date(), nullable=False),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("monday", "country", "name"),
        sa.CheckConstraint(IS_NAME, name=op.f("ck_week_figures_tablename")),
    )
    if op.get_context().dialect.name != "sqlite":
        for table in TABLES:
            op.execute(f"GRANT SELECT, INSERT ON {table} TO {APP_ROLE}")


def downgrade() -> None:
    """Drop the tables. Figures of erased cases cannot be counted again."""
    for table in TABLES:
        op.drop_table(table)
    op.execute("DELETE FROM heartbeat WHERE part = 'figures'")
    set_allowed_values("heartbeat", "part", "ck_heartbeat_part", PARTS)
