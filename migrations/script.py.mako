"""${message}.

Expand or contract? Say which, and why it is needed.
"""

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """A new table needs its grants here: see 0004_rights.py."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Undo it, with rows in the tables."""
    ${downgrades if downgrades else "pass"}
