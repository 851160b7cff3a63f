"""Expand: more records of cases, and steps of returns, are protected (ADR 85).

Existing MACs of cases do not cover these records, so the MACs are removed. The command
`safe-conduct case protect` then writes new MACs. A return that already has steps gets an
empty digest, which marks it as a return of an earlier version.
"""

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"


def upgrade() -> None:
    """Add the digest of the steps of a return, and remove the MACs of cases."""
    digest = sa.Column("steps_digest", sa.LargeBinary(), nullable=True)
    op.add_column("return_checklist", digest)
    earlier = sa.text(
        "UPDATE return_checklist SET steps_digest = :empty WHERE id IN "
        "(SELECT return_id FROM return_step)"
    )
    op.get_bind().execute(earlier, {"empty": b""})
    op.execute('UPDATE "case" SET mac = NULL WHERE mac IS NOT NULL')


def downgrade() -> None:
    """Remove the column. To return to the earlier MACs of cases, restore a backup."""
    op.drop_column("return_checklist", "steps_digest")
