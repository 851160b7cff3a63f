"""Expand: what the service may do with each table, and what nobody may (ADR 10).

PostgreSQL: the app role gets what it needs and no more. Both databases: a trigger stops
even the owner from rewriting the journal. SELECT ... FOR UPDATE counts as an UPDATE.
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
    """Give the rights there are, and take those nobody has."""
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
    """Let the service do its work, and read which migration it stands at."""
    for rights, tables in RIGHTS.items():
        op.execute(f"GRANT {rights} ON {listed(tables)} TO {APP_ROLE}")
    op.execute(f"GRANT USAGE ON SEQUENCE {sequences()} TO {APP_ROLE}")
    op.execute(f"GRANT SELECT ON alembic_version TO {APP_ROLE}")


def downgrade() -> None:
    """Undo it, but for alembic_version: the service may still ask where it stands."""
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
    """Spell tables for a grant; `case` is also a word of the language."""
    return ", ".join(f'"{table}"' for table in tables)


def sequences() -> str:
    """Spell what numbers are drawn from."""
    return ", ".join(f"{table}_number_seq" for table in COUNTED)
