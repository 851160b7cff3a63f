"""Expand: passkeys of persons, used challenges, and enrolments by two people (ADR 67)."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"

APP_ROLE = "safe_conduct_app"
INSTANT = sa.DateTime(timezone=True)
FOREIGN_KEY = "fk_session_passkey_id"


def upgrade() -> None:
    """Create the tables, and add to sessions the passkey with which they were opened."""
    create_passkeys()
    create_enrolments()
    add_passkey_to_session()
    if op.get_context().dialect.name != "sqlite":
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON passkey TO {APP_ROLE}")
        op.execute(f"GRANT SELECT, INSERT, DELETE ON used_challenge TO {APP_ROLE}")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON enrolment TO {APP_ROLE}")


def create_passkeys() -> None:
    """Create the tables of passkeys and of the challenges that were used."""
    person = sa.ForeignKey("person.id")
    op.create_table(
        "passkey",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("person_id", sa.Uuid(), person, nullable=False, index=True),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("last_used_at", INSTANT),
        sa.Column("removed_at", INSTANT),
    )
    op.create_table(
        "used_challenge",
        sa.Column("hash", sa.String(64), primary_key=True),
        sa.Column("expires_at", INSTANT, nullable=False, index=True),
    )


def create_enrolments() -> None:
    """Create the table of enrolments."""
    first, second = sa.ForeignKey("account.id"), sa.ForeignKey("account.id")
    account = sa.ForeignKey("account.id")
    op.create_table(
        "enrolment",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("account_id", sa.Uuid(), account, nullable=False, index=True),
        sa.Column("recovery", sa.Boolean(), nullable=False),
        sa.Column("link_prefix", sa.String(12), nullable=False, unique=True),
        sa.Column("link_hash", sa.String(64), nullable=False),
        sa.Column("code_hash", sa.String(64)),
        sa.Column("wrong_codes", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Uuid(), first),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), second),
        sa.Column("confirmed_at", INSTANT),
        sa.Column("expires_at", INSTANT, nullable=False, index=True),
        sa.Column("redeemed_at", INSTANT),
        sa.Column("cancelled_at", INSTANT),
    )


def add_passkey_to_session() -> None:
    """Add the column `passkey_id`, which is null for a session opened with an API key."""
    column = "passkey_id"
    if op.get_context().dialect.name == "postgresql":
        op.add_column("session", sa.Column(column, sa.Uuid()))
        op.create_foreign_key(op.f(FOREIGN_KEY), "session", "passkey", [column], ["id"])
    else:
        with op.batch_alter_table("session") as session:
            to = sa.ForeignKey("passkey.id", name=op.f(FOREIGN_KEY))
            session.add_column(sa.Column(column, sa.Uuid(), to))


def downgrade() -> None:
    """Drop passkeys and enrolments. Sessions that were opened with passkeys are deleted."""
    op.execute("DELETE FROM session WHERE passkey_id IS NOT NULL")
    with op.batch_alter_table("session") as session:
        session.drop_column("passkey_id")
    for table in ("enrolment", "used_challenge", "passkey"):
        op.drop_table(table)
