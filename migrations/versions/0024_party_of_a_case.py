"""Expand: whether somebody is party to a case is found by both, whatever else it has."""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Index both: of two indexes of one column each, SQLite took that of the reader."""
    columns = ["case_id", "focal_point_id"]
    op.create_index("ix_party_case_id_focal_point_id", "party", columns)
    op.drop_index("ix_party_case_id", "party")


def downgrade() -> None:
    """Index the case alone again."""
    op.create_index("ix_party_case_id", "party", ["case_id"])
    op.drop_index("ix_party_case_id_focal_point_id", "party")
