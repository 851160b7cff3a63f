"""Contract: only the system and past or present parties can access a case (ADR 21).

This migration affects PostgreSQL only. A transaction must set the office for which it acts,
or `system`; otherwise, its first access to a case fails. Therefore, a version of the code
that does not set this cannot run after this migration.
"""

from alembic import op

from app.kernel.migrations import enable_row_security

revision = "0018"
down_revision = "0017"

APP_ROLE = "safe_conduct_app"
OF_A_CASE = (
    *("case_key", "sealed", "handed_on", "fact", "question", "risk_assessment"),
    *("vital_interest", "consent", "screening", "referral", "handover"),
    *("return_checklist", "shortlisted", "left_out", "access_entry", "approval"),
)
WALLED = {"party": "case_id", "case": "id"} | dict.fromkeys(OF_A_CASE, "case_id")

# After a transaction, the value of the setting is an empty string.
ACTS_FOR = """CREATE FUNCTION acts_for() RETURNS text
STABLE LANGUAGE plpgsql AS $$
DECLARE who text := pg_catalog.current_setting('safe_conduct.acts_for', true);
BEGIN
    IF who IS NULL OR who = '' THEN
        RAISE EXCEPTION 'this transaction acts for nobody' USING ERRCODE = 'SC001';
    END IF;
    RETURN who;
END $$"""

# The view and the function read `party` as the owner, who can access all rows. Otherwise,
# the policy of `party` would refer to itself. The view shows an office only the cases to
# which it is or was a party.
MY_CASES = """CREATE VIEW my_cases AS SELECT case_id FROM party
WHERE focal_point_id::text = (SELECT acts_for())"""
# A case without a party is new and belongs to this transaction, which adds the row of the
# submitter next. Such a row is never deleted.
IS_NEW = """CREATE FUNCTION is_new(one uuid) RETURNS boolean
STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp LANGUAGE plpgsql AS $$
BEGIN
    RETURN NOT EXISTS (SELECT FROM public.party WHERE case_id = one);
END $$"""

FUNCTIONS = ("acts_for()", "is_new(uuid)")


def upgrade() -> None:
    """Enable row security on the tables in `WALLED`, whose rows belong to cases."""
    if op.get_context().dialect.name == "sqlite":
        return
    for making in (ACTS_FOR, MY_CASES, IS_NEW):
        op.execute(making)
    op.execute(f"GRANT SELECT ON my_cases TO {APP_ROLE}")
    for name in FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO {APP_ROLE}")
    for table, column in WALLED.items():
        enable_row_security(table, column)


def downgrade() -> None:
    """Disable row security. Only the code then restricts access to cases."""
    if op.get_context().dialect.name == "sqlite":
        return
    for table in WALLED:
        for how in ("NO FORCE", "DISABLE"):
            op.execute(f'ALTER TABLE "{table}" {how} ROW LEVEL SECURITY')
        for policy in ("of_its_parties", "of_the_owner"):
            op.execute(f'DROP POLICY {policy} ON "{table}"')
    op.execute("DROP VIEW my_cases")
    for name in FUNCTIONS:
        op.execute(f"DROP FUNCTION {name}")
