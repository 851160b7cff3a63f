"""Expand: referrals, the consents that they need, the access log, and first readings."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
SERVICES = (
    *("SHELTER", "MEDICAL", "PSYCHOSOCIAL", "LEGAL_AID", "INTERPRETATION"),
    *("SOCIAL_WELFARE", "CHILD_PROTECTION", "GUARDIANSHIP", "IDENTIFICATION"),
    *("LAW_ENFORCEMENT", "RESIDENCE_STATUS", "ASYLUM", "CONSULAR_DOCUMENT", "RETURN"),
    *("REINTEGRATION", "COMPENSATION", "FAMILY_TRACING"),
)
STATES = (
    *("draft", "sent", "received", "info_requested", "accepted", "in_progress", "on_hold"),
    *("completed", "declined", "redirected", "withdrawn", "revoked", "expired"),
)
KINDS = ("state", "non_state", "intergovernmental", "oversight", "desk")
FUNCTIONS = (
    *("consular", "police", "prosecution", "social", "health", "shelter", "legal"),
    *("child_protection", "migration", "labour", "coordination", "technical"),
)
GIVEN_BY = ("person", "guardian_with_assent", "best_interests_decision")
PURPOSES = ("assessment", "referral", "assistance", "protection", "correction")
TABLES = ("consent", "referral", "access_entry", "sighting")


def upgrade() -> None:
    """Create the tables of consents, referrals, the access log and first readings."""
    create_consents()
    create_referrals()
    create_access_entries()
    create_sightings()


def downgrade() -> None:
    """Drop the tables. Referrals, consents, the access log and first readings are lost."""
    for table in reversed(TABLES):
        op.drop_table(table)


def one_of(name: str, values: tuple[str, ...]) -> sa.Enum:
    """Return an enum type, stored as text with a CHECK, so that it is easy to extend."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def refers(
    name: str, target: str, *, nullable: bool = False, index: bool | None = None
) -> sa.Column[object]:
    """Return a column with a foreign key."""
    to = sa.ForeignKey(target)
    return sa.Column(name, sa.Uuid(), to, nullable=nullable, index=index)


def create_consents() -> None:
    """Create the table of consents."""
    op.create_table(
        "consent",
        sa.Column("id", sa.Uuid(), primary_key=True),
        refers("case_id", "case.id", index=True),
        refers("focal_point_id", "focal_point.id", nullable=True),
        sa.Column("kind", one_of("kind", KINDS)),
        sa.Column("function", one_of("function", FUNCTIONS)),
        sa.Column("country", sa.String(2)),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("sections", sa.JSON(), nullable=False),
        sa.Column("given_by", one_of("givenby", GIVEN_BY), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("interpreter", sa.Boolean(), nullable=False),
        sa.Column("form_version", sa.String(), nullable=False),
        sa.Column("obtained_on", sa.Date(), nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        refers("recorded_by", "focal_point.id"),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("withdrawn_at", INSTANT),
    )


def create_referrals() -> None:
    """Create the table of referrals: requests for one service to one focal point."""
    op.create_table(
        "referral",
        sa.Column("number", COUNTER, primary_key=True),
        sa.Column("id", sa.Uuid(), nullable=False, unique=True),
        refers("case_id", "case.id", index=True),
        sa.Column("service", one_of("service", SERVICES), nullable=False),
        refers("recipient_id", "focal_point.id"),
        sa.Column("sections", sa.JSON(), nullable=False),
        sa.Column("state", one_of("state", STATES), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String()),
        sa.Column("outcome", sa.String()),
        sa.Column("opened_at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )


def create_access_entries() -> None:
    """Create the access log: account, document, time, purpose and result of attempts."""
    op.create_table(
        "access_entry",
        sa.Column("number", COUNTER, primary_key=True),
        sa.Column("id", sa.Uuid(), nullable=False, unique=True),
        sa.Column("at", INSTANT, nullable=False),
        refers("case_id", "case.id"),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("purpose", one_of("readingpurpose", PURPOSES), nullable=False),
        sa.Column("allowed", sa.Boolean(), nullable=False),
        sa.Column("policy", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("focal_point_id", sa.Uuid(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_access_entry_case_id_number", "access_entry", ["case_id", "number"])


def create_sightings() -> None:
    """Create the table of the times at which an office first read a record."""
    reader = sa.ForeignKey("focal_point.id")
    op.create_table(
        "sighting",
        sa.Column("record_id", sa.Uuid(), primary_key=True),
        sa.Column("focal_point_id", sa.Uuid(), reader, primary_key=True),
        sa.Column("at", INSTANT, nullable=False),
    )
