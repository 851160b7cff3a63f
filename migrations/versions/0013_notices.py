"""Expand: the contacts of offices, the outbox, and the records of notifications.

The records of notifications are evidence. Triggers stop all changes to them, even by the
owner (ADR 10).
"""

import sqlalchemy as sa
from alembic import op

from app.kernel.migrations import set_allowed_values

revision = "0013"
down_revision = "0012"

APP_ROLE = "safe_conduct_app"
COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
PARTS = ("clocks",)
CHANNELS = ("email", "sms")
PRIORITIES = ("emergency", "urgent", "normal")
STATES = ("waiting", "sending", "sent", "dead", "dropped")
TO_DO = sa.text("state IN ('waiting', 'sending')")
DEAD = sa.text("state = 'dead'")
RIGHTS = {
    "contact": "SELECT, INSERT, UPDATE",
    "outgoing": "SELECT, INSERT, UPDATE",
    "telling": "SELECT, INSERT",
}
COUNTED = ("outgoing", "telling")

ON_POSTGRESQL = """CREATE TRIGGER telling_kept
BEFORE UPDATE OR DELETE OR TRUNCATE ON telling
FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting()"""
ON_SQLITE = """CREATE TRIGGER telling_kept_from_{change} BEFORE {change} ON telling
BEGIN SELECT RAISE(ABORT, 'telling is never rewritten'); END"""


def upgrade() -> None:
    """Create the tables with their rights, and the triggers that stop changes."""
    create_contacts()
    create_outgoing()
    create_tellings()
    set_allowed_values("heartbeat", "part", "ck_heartbeat_part", (*PARTS, "notices"))
    if op.get_context().dialect.name == "sqlite":
        for change in ("update", "delete"):
            op.execute(ON_SQLITE.format(change=change))
        return
    for table, rights in RIGHTS.items():
        op.execute(f"GRANT {rights} ON {table} TO {APP_ROLE}")
    for table in COUNTED:
        op.execute(f"GRANT USAGE ON SEQUENCE {table}_number_seq TO {APP_ROLE}")
    op.execute(ON_POSTGRESQL)


def downgrade() -> None:
    """Drop the tables. Contacts, the outbox and the records of notifications are lost."""
    op.execute("DELETE FROM heartbeat WHERE part = 'notices'")
    set_allowed_values("heartbeat", "part", "ck_heartbeat_part", PARTS)
    for table in ("telling", "outgoing", "contact"):
        op.drop_table(table)


def one_of(name: str, values: tuple[str, ...]) -> sa.Enum:
    """Return an enum type, stored as text with a CHECK, so that it is easy to extend."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def create_contacts() -> None:
    """Create the table of the contacts of offices."""
    office = sa.ForeignKey("focal_point.code")
    op.create_table(
        "contact",
        sa.Column("code", sa.String(40), primary_key=True),
        sa.Column("focal_point", sa.String(40), office, nullable=False, index=True),
        sa.Column("channel", one_of("channel", CHANNELS), nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
    )


def create_outgoing() -> None:
    """Create the table of the outbox, with the messages to send."""
    op.create_table(
        "outgoing",
        sa.Column("number", COUNTER, primary_key=True),
        sa.Column("id", sa.Uuid(), nullable=False, unique=True),
        sa.Column("way", one_of("way", CHANNELS), nullable=False),
        sa.Column("recipient", sa.String(40), nullable=False),
        sa.Column("urgency", one_of("priority", PRIORITIES), nullable=False),
        sa.Column("state", one_of("state", STATES), nullable=False),
        sa.Column("queued_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("left_at", INSTANT),
        sa.Column("ended_at", INSTANT),
        sa.Column("claim", sa.Uuid()),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.String(40)),
        sa.Column("instead_of", sa.Uuid()),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_outgoing_to_do",
        "outgoing",
        ["way", "due_at", "number"],
        sqlite_where=TO_DO,
        postgresql_where=TO_DO,
    )
    op.create_index("ix_outgoing_recipient_left_at", "outgoing", ["recipient", "left_at"])
    op.create_index(
        "ix_outgoing_dead",
        "outgoing",
        ["number"],
        sqlite_where=DEAD,
        postgresql_where=DEAD,
    )


def create_tellings() -> None:
    """Create the table of records of notifications: office, reason, time and message."""
    office, sent = sa.ForeignKey("focal_point.id"), sa.ForeignKey("outgoing.id")
    op.create_table(
        "telling",
        sa.Column("number", COUNTER, primary_key=True),
        sa.Column("id", sa.Uuid(), nullable=False, unique=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("focal_point_id", sa.Uuid(), office, nullable=False),
        sa.Column("why", sa.String(60), nullable=False),
        sa.Column("case_id", sa.Uuid(), index=True),
        sa.Column("record_id", sa.Uuid(), index=True),
        sa.Column("outgoing_id", sa.Uuid(), sent, index=True),
        sqlite_autoincrement=True,
    )
