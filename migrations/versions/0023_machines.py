"""Expand: public keys of machines, and the access tokens that machines get (ADR 28)."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"

APP_ROLE = "safe_conduct_app"
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables. The service may delete tokens, but may not delete keys."""
    op.create_table(
        "public_key",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("account_id", sa.Uuid(), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("kid", sa.String(43), nullable=False),
        sa.Column("alg", sa.String(10), nullable=False),
        sa.Column("jwk", sa.JSON(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT),
        sa.Column("made_by", sa.Uuid()),
        sa.UniqueConstraint("account_id", "kid"),
    )
    op.create_table(
        "access_token",
        sa.Column("prefix", sa.String(12), primary_key=True),
        sa.Column(
            "public_key_id", sa.Uuid(), sa.ForeignKey("public_key.id"), nullable=False
        ),
        sa.Column("assertion", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.UniqueConstraint("public_key_id", "assertion"),
    )
    if op.get_context().dialect.name != "sqlite":
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON public_key TO {APP_ROLE}")
        op.execute(f"GRANT SELECT, INSERT, DELETE ON access_token TO {APP_ROLE}")


def downgrade() -> None:
    """Drop the tables. Machines can then sign in only with API keys."""
    op.drop_table("access_token")
    op.drop_table("public_key")
