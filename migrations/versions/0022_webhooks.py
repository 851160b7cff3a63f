"""Expand: webhooks, which push feeds to receivers that two people approved (R62, R65)."""

import sqlalchemy as sa
from alembic import op

from app.kernel.migrations import set_allowed_values

revision = "0022"
down_revision = "0021"

APP_ROLE = "safe_conduct_app"
COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
PARTS = ("clocks", "notices", "erasures")
OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    """Create the tables, and allow heartbeats of the webhook job."""
    create_webhooks()
    create_secrets()
    set_allowed_values("heartbeat", "part", "ck_heartbeat_part", (*PARTS, "webhooks"))
    if op.get_context().dialect.name != "sqlite":
        for table in ("webhook", "webhook_secret"):
            op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO {APP_ROLE}")
        op.execute(f"GRANT USAGE ON SEQUENCE webhook_number_seq TO {APP_ROLE}")


def downgrade() -> None:
    """Drop the tables. Webhooks are lost, and offices have to poll their feeds again."""
    op.execute("DELETE FROM heartbeat WHERE part = 'webhooks'")
    set_allowed_values("heartbeat", "part", "ck_heartbeat_part", PARTS)
    for table in ("webhook_secret", "webhook"):
        op.drop_table(table)


def create_webhooks() -> None:
    """Create the table of webhooks, each with its URL and its position in the feed."""
    office = sa.ForeignKey("focal_point.id")
    op.create_table(
        "webhook",
        sa.Column("number", COUNTER, primary_key=True),
        sa.Column("id", sa.Uuid(), nullable=False, unique=True),
        sa.Column("focal_point_id", sa.Uuid(), office, nullable=False, index=True),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("url", sa.String(250), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("paused_at", INSTANT),
        sa.Column("stalled", sa.Boolean(), nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("position", COUNTER, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("claim", sa.Uuid()),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", INSTANT),
        sa.Column("trouble", sa.String(40)),
        sa.Column("delivered_at", INSTANT),
        sa.Column("ping", sa.Uuid()),
        sa.Column("pinged_at", INSTANT),
        sa.Column("ping_answer", sa.String(40)),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_webhook_due_at",
        "webhook",
        ["due_at"],
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )


def create_secrets() -> None:
    """Create the table of the wrapped secrets with which messages are signed."""
    of = sa.ForeignKey("webhook.id")
    op.create_table(
        "webhook_secret",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("webhook_id", sa.Uuid(), of, nullable=False, index=True),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT),
    )
