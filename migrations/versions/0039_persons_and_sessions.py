"""Expand: persons, to whom accounts belong, and sessions of persons (ADR 66).

Each existing account of a person gets a person of its own, who has the id of the account.
The previous version opens accounts without a person; `coalesce(person_id, id)` then gives
the same id, and the person is added when the account first opens a session.
"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"

APP_ROLE = "safe_conduct_app"
INSTANT = sa.DateTime(timezone=True)
METHODS = ("key", "passkey")
FILL = """INSERT INTO person (id, created_at)
SELECT id, opened_at FROM account WHERE kind = 'person'"""
LINK = "UPDATE account SET person_id = id WHERE kind = 'person'"


def upgrade() -> None:
    """Create the tables, and a person for each account of a person."""
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("sealed_name", sa.LargeBinary()),
        sa.Column("name_key", sa.LargeBinary()),
        sa.Column("name_key_version", sa.String()),
    )
    add_person_to_account()
    op.execute(FILL)
    op.execute(LINK)
    create_sessions()
    if op.get_context().dialect.name != "sqlite":
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON person TO {APP_ROLE}")
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON session TO {APP_ROLE}")


def add_person_to_account() -> None:
    """Add the column `person_id`, which is null for machines."""
    name, column = "fk_account_person_id", "person_id"
    if op.get_context().dialect.name == "postgresql":
        op.add_column("account", sa.Column(column, sa.Uuid()))
        op.create_foreign_key(op.f(name), "account", "person", [column], ["id"])
    else:
        with op.batch_alter_table("account") as account:
            to = sa.ForeignKey("person.id", name=op.f(name))
            account.add_column(sa.Column(column, sa.Uuid(), to))
    op.create_index(op.f("ix_account_person_id"), "account", [column])


def create_sessions() -> None:
    """Create the table of sessions."""
    kind = sa.Enum(
        *METHODS,
        name="signinmethod",
        native_enum=False,
        create_constraint=True,
        length=40,
    )
    account, person = sa.ForeignKey("account.id"), sa.ForeignKey("person.id")
    op.create_table(
        "session",
        sa.Column("prefix", sa.String(12), primary_key=True),
        sa.Column("id", sa.Uuid(), nullable=False, unique=True),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("account_id", sa.Uuid(), account, nullable=False),
        sa.Column("person_id", sa.Uuid(), person, nullable=False, index=True),
        sa.Column("method", kind, nullable=False),
        sa.Column("api_key", sa.String(12), sa.ForeignKey("api_key.prefix")),
        sa.Column("authenticated_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False, index=True),
        sa.Column("ended_at", INSTANT),
    )


def downgrade() -> None:
    """End all sessions and drop the persons. Keys and accounts stay as they are."""
    op.drop_table("session")
    op.drop_index(op.f("ix_account_person_id"), "account")
    with op.batch_alter_table("account") as account:
        account.drop_column("person_id")
    op.drop_table("person")
