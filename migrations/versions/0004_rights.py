"""Expand: the rights of the service to each table, and triggers that stop changes (ADR 10).

On PostgreSQL, the app role gets only the rights that it needs. SELECT ... FOR UPDATE needs
the right to UPDATE. On both databases, triggers stop updates and deletions in the journal
and in the access log, even by the owner.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

APP_ROLE = "safe_conduct_app"
RIGHTS = {
    "SELECT": ("epoch",),
    "SELECT, INSERT": (
        *("entry", "delivery", "retrieval", "sighting", "access_entry"),
        *("risk_assessment", "outcome"),
    ),
    "SELECT, INSERT, UPDATE": (
        *("country", "focal_point", "agreement", "account", "api_key", "approval"),
        *("mailbox", "clock", "case", "party", "referral", "consent"),
    ),
    "SELECT, INSERT, DELETE": ("left_out",),
    "SELECT, INSERT, UPDATE, DELETE": ("case_key", "sealed", "shortlisted"),
}
COUNTED = ("clock", "case", "party", "referral", "access_entry", "approval")
NEVER_REWRITTEN = ("entry", "delivery", "access_entry")

REFUSE = """CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is never rewritten', TG_TABLE_NAME; END $$"""
ON_POSTGRESQL = """CREATE TRIGGER {table}_kept
BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()"""
ON_SQLITE = """CREATE TRIGGER {table}_kept_from_{change} BEFORE {change} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is never rewritten'); END"""


def upgrade() -> None:
    """Grant the rights, and create the triggers that stop changes."""
    if op.get_context().dialect.name == "sqlite":
        for table in NEVER_REWRITTEN:
            for change in ("update", "delete"):
                op.execute(ON_SQLITE.format(table=table, change=change))
        return
    grant()
    op.execute(REFUSE)
    for table in NEVER_REWRITTEN:
        op.execute(ON_POSTGRESQL.format(table=table))


def grant() -> None:
    """Grant the service its rights, and the right to read the revision of the database."""
    for rights, tables in RIGHTS.items():
        op.execute(f"GRANT {rights} ON {listed(tables)} TO {APP_ROLE}")
    op.execute(f"GRANT USAGE ON SEQUENCE {sequences()} TO {APP_ROLE}")
    op.execute(f"GRANT SELECT ON alembic_version TO {APP_ROLE}")


def downgrade() -> None:
    """Remove the triggers and rights, except the right to read the revision."""
    if op.get_context().dialect.name == "sqlite":
        for table in NEVER_REWRITTEN:
            for change in ("update", "delete"):
                op.execute(f"DROP TRIGGER {table}_kept_from_{change}")
        return
    for table in NEVER_REWRITTEN:
        op.execute(f"DROP TRIGGER {table}_kept ON {table}")
    op.execute("DROP FUNCTION refuse_rewriting()")
    op.execute(f"REVOKE ALL ON SEQUENCE {sequences()} FROM {APP_ROLE}")
    for tables in RIGHTS.values():
        op.execute(f"REVOKE ALL ON {listed(tables)} FROM {APP_ROLE}")


def listed(tables: tuple[str, ...]) -> str:
    """Return quoted names of tables for a GRANT, because `case` is a reserved word."""
    return ", ".join(f'"{table}"' for table in tables)


def sequences() -> str:
    """Return the names of the sequences of the tables, separated by commas."""
    return ", ".join(f"{table}_number_seq" for table in COUNTED)
