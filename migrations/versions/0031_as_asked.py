"""Expand: the state of a case when a State body was asked for a document (ADR 43).

The earlier state is unknown for bodies that were asked before this migration. They get the
current state.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"

ASKED = """UPDATE party SET as_asked = (
    SELECT {object}(
        'notice', {object}(
            'country', c.country, 'age_class', c.age_class, 'language', c.language,
            'priority', c.priority, 'services', {services},
            'urgent_needs', {urgent_needs}, 'safe_contact', c.safe_contact
        ),
        'state', c.state,
        'lead', (
            SELECT h.focal_point_id FROM party h WHERE h.record_id = c.id
            AND h.until IS NULL AND h.relation = 'lead'
        ),
        'holder', (
            SELECT h.focal_point_id FROM party h WHERE h.record_id = c.id
            AND h.until IS NULL AND h.relation IN ('lead', 'candidate', 'desk')
            ORDER BY h.relation = 'lead' DESC, h.relation = 'candidate' DESC LIMIT 1
        )
    ) FROM "case" c WHERE c.id = party.case_id
) WHERE until IS NULL AND relation = 'recipient' AND record_id IN (
    SELECT r.id FROM referral r JOIN focal_point f ON f.id = r.recipient_id
    WHERE r.service = 'CONSULAR_DOCUMENT' AND f.kind = 'state'
)"""
ON_POSTGRESQL = {
    "object": "json_build_object",
    "services": "c.services",
    "urgent_needs": "c.urgent_needs",
}
ON_SQLITE = {
    "object": "json_object",
    "services": "json(c.services)",
    "urgent_needs": "json(c.urgent_needs)",
}


def upgrade() -> None:
    """Add the column, and fill it for State bodies that were asked for travel documents."""
    op.add_column("party", sa.Column("as_asked", sa.JSON()))
    postgresql = op.get_context().dialect.name == "postgresql"
    op.execute(ASKED.format(**(ON_POSTGRESQL if postgresql else ON_SQLITE)))


def downgrade() -> None:
    """Drop the column. These State bodies then read the current data of the case."""
    op.drop_column("party", "as_asked")
