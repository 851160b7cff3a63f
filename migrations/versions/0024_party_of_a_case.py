"""Expand: an index to find whether an office is a party of a case."""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Index case and office together, because SQLite used only the index of the office."""
    columns = ["case_id", "focal_point_id"]
    op.create_index("ix_party_case_id_focal_point_id", "party", columns)
    op.drop_index("ix_party_case_id", "party")


def downgrade() -> None:
    """Restore the index of the case alone."""
    op.create_index("ix_party_case_id", "party", ["case_id"])
    op.drop_index("ix_party_case_id_focal_point_id", "party")
