"""Contract: no row of a case is within reach of who never had a part in it (ADR 21).

PostgreSQL alone. What runs must say for whom it acts, or it is stopped by the first row of
a case it asks for; so a version that does not say it cannot go on beside this one.
"""

from alembic import op

revision = "0018"
down_revision = "0017"

APP_ROLE, OWNER_ROLE = "safe_conduct_app", "safe_conduct_owner"
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

# As the owner, for whom the rows of party are not walled off: else it would ask itself.
# A case to which nobody is party yet is being written by this very transaction: the row of
# its submitter follows, and none is ever taken away.
REACHES = """CREATE FUNCTION reaches(one uuid) RETURNS boolean
STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp LANGUAGE plpgsql AS $$
DECLARE who text := public.acts_for();
BEGIN
    IF who = 'system' THEN
        RETURN true;
    END IF;
    RETURN coalesce(bool_or(focal_point_id = who::uuid), true)
        FROM public.party WHERE case_id = one;
END $$"""

# That somebody acts is asked once for a statement, and also where it finds no row.
WALL = """CREATE POLICY of_its_parties ON "{table}" TO {role}
USING (acts_for() IS NOT NULL AND reaches({column}))"""
# One's own rows, by which everything is found, cost no look at the others.
OF_PARTY = f"""CREATE POLICY of_its_parties ON party TO {APP_ROLE}
USING (acts_for() IS NOT NULL
    AND (focal_point_id::text = (SELECT acts_for()) OR reaches(case_id)))
WITH CHECK (reaches(case_id))"""
# Migrations, backups, and the function above.
DOOR = """CREATE POLICY of_the_owner ON "{table}" TO {role} USING (true)"""
FUNCTIONS = ("acts_for()", "reaches(uuid)")


def upgrade() -> None:
    """Wall off every table of which each row belongs to one case."""
    if op.get_context().dialect.name == "sqlite":
        return
    for function in (ACTS_FOR, REACHES):
        op.execute(function)
    for name in FUNCTIONS:
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO {APP_ROLE}")
    for table, column in WALLED.items():
        wall = OF_PARTY if table == "party" else WALL
        op.execute(wall.format(table=table, column=column, role=APP_ROLE))
        op.execute(DOOR.format(table=table, role=OWNER_ROLE))
        for how in ("ENABLE", "FORCE"):
            op.execute(f'ALTER TABLE "{table}" {how} ROW LEVEL SECURITY')


def downgrade() -> None:
    """Undo it: one wall is left, the code."""
    if op.get_context().dialect.name == "sqlite":
        return
    for table in WALLED:
        for how in ("NO FORCE", "DISABLE"):
            op.execute(f'ALTER TABLE "{table}" {how} ROW LEVEL SECURITY')
        for policy in ("of_its_parties", "of_the_owner"):
            op.execute(f'DROP POLICY {policy} ON "{table}"')
    for name in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {name}")
