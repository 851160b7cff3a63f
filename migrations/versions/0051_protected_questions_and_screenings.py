"""Expand: questions, screenings and steps of returns are protected, too (ADR 85).

The MAC of a case that has a question or a screening does not cover it yet. It is removed,
so that `safe-conduct case protect` writes another one, as for a case without a MAC.
"""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"


def upgrade() -> None:
    """Add the digest of the steps of a return, which is null in existing returns."""
    digest = sa.Column("steps_digest", sa.LargeBinary(), nullable=True)
    op.add_column("return_checklist", digest)
    op.execute(
        'UPDATE "case" SET mac = NULL WHERE mac IS NOT NULL AND id IN '
        "(SELECT case_id FROM question UNION SELECT case_id FROM screening)"
    )


def downgrade() -> None:
    """Remove the column."""
    op.drop_column("return_checklist", "steps_digest")
