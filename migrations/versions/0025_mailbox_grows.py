"""Expand: the head of a mailbox never falls, and grows only with its deliveries.

If a head were moved back, the next deliveries would reuse positions that clients have
read. If it were moved forward, there would be a gap, and pollers would skip events that are
added in the gap. PostgreSQL checks at each commit that the transaction itself delivered the
rows between the old head and the new head. SQLite has no check at the end of a transaction.
"""

from alembic import op

revision = "0025"
down_revision = "0024"

ON_SQLITE = (
    """CREATE TRIGGER mailbox_never_falls BEFORE UPDATE ON mailbox
WHEN NEW.head < OLD.head OR NEW.focal_point_id <> OLD.focal_point_id
BEGIN SELECT RAISE(ABORT, 'the head of a mailbox never falls'); END""",
    """CREATE TRIGGER mailbox_kept_from_delete BEFORE DELETE ON mailbox
BEGIN SELECT RAISE(ABORT, 'a mailbox is never deleted'); END""",
)
NEVER_FALLS = """CREATE FUNCTION refuse_falling() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' OR NEW.head < OLD.head
        OR NEW.focal_point_id <> OLD.focal_point_id THEN
        RAISE EXCEPTION 'the head of a mailbox never falls';
    END IF;
    RETURN NEW;
END $$"""
MUST_BE_DELIVERED = """CREATE FUNCTION must_be_delivered() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.head - OLD.head <> (
        SELECT count(*) FROM public.delivery
        WHERE focal_point_id = NEW.focal_point_id
            AND position > OLD.head AND position <= NEW.head
            AND xmin = pg_current_xact_id()::xid
    ) THEN
        RAISE EXCEPTION 'the head of a mailbox grows with its deliveries alone';
    END IF;
    RETURN NULL;
END $$"""
ON_POSTGRESQL = (
    NEVER_FALLS,
    MUST_BE_DELIVERED,
    """CREATE TRIGGER mailbox_never_falls BEFORE UPDATE OR DELETE ON mailbox
FOR EACH ROW EXECUTE FUNCTION refuse_falling()""",
    """CREATE TRIGGER mailbox_never_emptied BEFORE TRUNCATE ON mailbox
FOR EACH STATEMENT EXECUTE FUNCTION refuse_falling()""",
    """CREATE CONSTRAINT TRIGGER mailbox_grows_with_deliveries AFTER UPDATE ON mailbox
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION must_be_delivered()""",
)
TRIGGERS = (
    *("mailbox_never_falls", "mailbox_never_emptied"),
    "mailbox_grows_with_deliveries",
)


def upgrade() -> None:
    """Create the triggers that check the heads."""
    lite = op.get_context().dialect.name == "sqlite"
    for statement in ON_SQLITE if lite else ON_POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    """Drop the triggers. Only the code then keeps the heads correct."""
    if op.get_context().dialect.name == "sqlite":
        for name in ("mailbox_never_falls", "mailbox_kept_from_delete"):
            op.execute(f"DROP TRIGGER {name}")
        return
    for name in TRIGGERS:
        op.execute(f"DROP TRIGGER {name} ON mailbox")
    for name in ("refuse_falling", "must_be_delivered"):
        op.execute(f"DROP FUNCTION {name}()")
