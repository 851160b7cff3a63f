"""Expand: a record of each erasure, so that a restored backup can be erased again (R34).

A case without a data key was erased before this migration, so it gets a row too. The
service may now delete unencrypted rows about the person. It may also rewrite the table of
keys, if PostgreSQL has a right for this (version 17 and newer).
"""

import sqlalchemy as sa
from alembic import op

from app.kernel.migrations import set_allowed_values

revision = "0014"
down_revision = "0013"

APP_ROLE = "safe_conduct_app"
PARTS = ("clocks", "notices")
FORGOTTEN = ("fact", "question", "risk_assessment", "screening", "return_step")

ENTER = """INSERT INTO erasure (case_id, at)
SELECT id, coalesce((SELECT max(at) FROM entry WHERE case_id = shell.id), opened_at)
FROM "case" AS shell
WHERE NOT EXISTS (SELECT 1 FROM case_key WHERE case_key.case_id = shell.id)"""

ON_POSTGRESQL = """CREATE TRIGGER erasure_kept
BEFORE UPDATE OR DELETE OR TRUNCATE ON erasure
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()"""
ON_SQLITE = """CREATE TRIGGER erasure_kept_from_{change} BEFORE {change} ON erasure
BEGIN SELECT RAISE(ABORT, 'erasure is never rewritten'); END"""
MAINTAIN = """DO $$ BEGIN
    IF current_setting('server_version_num')::int >= 170000 THEN
        EXECUTE '{change}';
    END IF;
END $$"""


def upgrade() -> None:
    """Create the table, add earlier erasures, and stop all changes to its rows."""
    op.create_table(
        "erasure",
        sa.Column("case_id", sa.Uuid(), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.execute(ENTER)
    set_allowed_values("heartbeat", "part", "ck_heartbeat_part", (*PARTS, "erasures"))
    if op.get_context().dialect.name == "sqlite":
        for change in ("update", "delete"):
            op.execute(ON_SQLITE.format(change=change))
        return
    op.execute(ON_POSTGRESQL)
    op.execute(f"GRANT SELECT, INSERT ON erasure TO {APP_ROLE}")
    op.execute(f"GRANT DELETE ON {', '.join(FORGOTTEN)} TO {APP_ROLE}")
    grant = f"GRANT MAINTAIN ON case_key TO {APP_ROLE}"
    op.execute(MAINTAIN.format(change=grant))


def downgrade() -> None:
    """Drop the table. Only the ledger outside of the database then lists the erasures."""
    op.drop_table("erasure")
    op.execute("DELETE FROM heartbeat WHERE part = 'erasures'")
    set_allowed_values("heartbeat", "part", "ck_heartbeat_part", PARTS)
    if op.get_context().dialect.name == "sqlite":
        return
    op.execute(f"REVOKE DELETE ON {', '.join(FORGOTTEN)} FROM {APP_ROLE}")
    revoke = f"REVOKE MAINTAIN ON case_key FROM {APP_ROLE}"
    op.execute(MAINTAIN.format(change=revoke))
