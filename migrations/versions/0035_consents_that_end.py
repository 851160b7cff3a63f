"""Expand: a deadline for the expiry of each valid consent in an open case (ADR 49).

Before, only the last consent to refer a child had such a deadline. The new deadlines are
due in an hour at the earliest. The worker of the previous version, which would only stop
them, has ended by then. The new worker announces the expiry, or stops the deadline of a
consent that was renewed.
"""

from alembic import op

revision = "0035"
down_revision = "0034"

ADD = """INSERT INTO clock (case_id, record_id, reference, kind, set_at, due_at)
SELECT c.id, s.id, 'cases/' || c.code, 'consent_ends', s.recorded_at, {due_at}
FROM consent s JOIN "case" c ON c.id = s.case_id
WHERE s.withdrawn_at IS NULL AND s.expires_at > {now}
AND c.state IN (
    'submitted', 'under_review', 'referring', 'assisting', 'suspended', 'monitoring'
)
AND (s.given_by = 'person') = (coalesce(c.age_class, 'child') = 'adult')
AND NOT EXISTS (
    SELECT 1 FROM clock k WHERE k.record_id = s.id AND k.stopped_at IS NULL
)"""
BRING_FORWARD = """UPDATE clock SET due_at = {due_at}
WHERE kind = 'consent_ends' AND stopped_at IS NULL AND due_at > {now}"""

ON_POSTGRESQL = {
    "now": "CURRENT_TIMESTAMP",
    "due_at": "greatest({end} - INTERVAL '14 days', CURRENT_TIMESTAMP + INTERVAL '1 hour')",
}
ON_SQLITE = {
    "now": "datetime('now')",
    "due_at": "max(datetime({end}, '-14 days'), datetime('now', '+1 hour')) || '.000000'",
}


def upgrade() -> None:
    """Add the deadlines, and move running deadlines to 14 days before the expiry."""
    postgresql = op.get_context().dialect.name == "postgresql"
    words = ON_POSTGRESQL if postgresql else ON_SQLITE
    for statement, end in ((BRING_FORWARD, "due_at"), (ADD, "s.expires_at")):
        due_at = words["due_at"].format(end=end)
        op.execute(statement.format(now=words["now"], due_at=due_at))


def downgrade() -> None:
    """Keep the deadlines. The previous version stops each of them when it is due."""
