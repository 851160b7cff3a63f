"""Contract: no row of a case is within reach of who never had a part in it (ADR 21).

PostgreSQL alone. What runs must say for whom it acts, or it is stopped by the first row of
a case it asks for; so a version that does not say it cannot go on beside this one.
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

# The setting outlives a transaction as an empty text.
ACTS_FOR = """CREATE FUNCTION acts_for() RETURNS text
STABLE LANGUAGE plpgsql AS $$
DECLARE who text := pg_catalog.current_setting('safe_conduct.acts_for', true);
BEGIN
    IF who IS NULL OR who = '' THEN
        RAISE EXCEPTION 'this transaction acts for nobody' USING ERRCODE = 'SC001';
    END IF;
    RETURN who;
END $$"""

# Both look at party as the owner, from whom nothing is walled off: else the wall of party
# would ask itself. The view shows nobody more than it is party to, or was.
MY_CASES = """CREATE VIEW my_cases AS SELECT case_id FROM party
WHERE focal_point_id::text = (SELECT acts_for())"""
# A case to which nobody is party yet is being written by this very transaction: the row of
# its submitter follows, and no such row is ever taken away.
IS_NEW = """CREATE FUNCTION is_new(one uuid) RETURNS boolean
STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp LANGUAGE plpgsql AS $$
BEGIN
    RETURN NOT EXISTS (SELECT FROM public.party WHERE case_id = one);
END $$"""

FUNCTIONS = ("acts_for()", "is_new(uuid)")


def upgrade() -> None:
    """Wall off every table of which each row belongs to one case."""
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
    """Undo it: one wall is left, the code."""
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
