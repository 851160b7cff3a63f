"""Expand: the tables of the journal, its mailboxes, the directory and the accounts.

These are the first tables.
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

COUNTER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
KINDS = ("state", "non_state", "intergovernmental", "oversight", "desk")
FUNCTIONS = (
    *("consular", "police", "prosecution", "social", "health", "shelter", "legal"),
    *("child_protection", "migration", "labour", "coordination", "technical"),
)
CONFIDENCE = ("high", "medium", "low", "fictitious", "configured")
DECISIONS = ("pending", "approved", "refused", "spent")
TABLES = (
    *("entry", "mailbox", "delivery", "retrieval", "epoch", "outcome"),
    *("country", "focal_point", "agreement", "account", "api_key", "approval"),
)


def upgrade() -> None:
    """Create the tables that do not depend on cases."""
    create_journal()
    create_evidence_of_reading()
    create_epoch()
    create_outcomes()
    create_countries()
    create_focal_points()
    create_agreements()
    create_accounts()
    create_approvals()


def downgrade() -> None:
    """Drop the tables. All data is lost."""
    for table in reversed(TABLES):
        op.drop_table(table)


def one_of(name: str, values: tuple[str, ...]) -> sa.Enum:
    """Return an enum type, stored as text with a CHECK, so that it is easy to extend."""
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def create_journal() -> None:
    """Create the tables of events, mailboxes, and positions of events in feeds."""
    op.create_table(
        "entry",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False, index=True),
        sa.Column("record_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("account_id", sa.Uuid()),
        sa.Column("focal_point_id", sa.Uuid()),
        sa.Column("facts", sa.JSON(), nullable=False),
    )
    op.create_table(
        "mailbox",
        sa.Column("focal_point_id", sa.Uuid(), primary_key=True),
        sa.Column("head", COUNTER, nullable=False),
    )
    op.create_table(
        "delivery",
        of_mailbox(),
        sa.Column("position", COUNTER, primary_key=True, autoincrement=False),
        sa.Column("entry_id", sa.Uuid(), sa.ForeignKey("entry.id"), nullable=False),
    )
    op.create_index(
        "ix_delivery_entry_id_focal_point_id", "delivery", ["entry_id", "focal_point_id"]
    )


def create_evidence_of_reading() -> None:
    """Create the table that records how far a focal point has read its feed, and when."""
    op.create_table(
        "retrieval",
        of_mailbox(),
        sa.Column("upto", COUNTER, primary_key=True, autoincrement=False),
        sa.Column("at", INSTANT, nullable=False),
    )


def of_mailbox() -> sa.Column[object]:
    """Return a column that refers to a mailbox and is the first of a primary key."""
    owner = sa.ForeignKey("mailbox.focal_point_id")
    return sa.Column("focal_point_id", sa.Uuid(), owner, primary_key=True)


def create_epoch() -> None:
    """Store a random epoch, so that cursors of other databases are rejected."""
    epoch = op.create_table("epoch", sa.Column("value", sa.String(), primary_key=True))
    op.bulk_insert(epoch, [{"value": secrets.token_hex(4)}])


def create_outcomes() -> None:
    """Create the table of outcomes of requests that have an idempotency key."""
    op.create_table(
        "outcome",
        sa.Column("account_id", sa.Uuid(), primary_key=True),
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("resource_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
    )


def create_countries() -> None:
    """Create the table of the countries of the mechanism."""
    op.create_table(
        "country",
        sa.Column("iso2", sa.String(2), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column(
            "state_routing", one_of("staterouting", ("auto", "avoid")), nullable=False
        ),
        sa.Column("first_contact", sa.String()),
        sa.Column("needs_criminal_case", sa.String()),
        sa.Column("routing_reason", sa.String()),
        sa.Column("lead_body", sa.String()),
        sa.Column("source", sa.String()),
        sa.Column("as_of", sa.String()),
        sa.Column("confidence", sa.String(), nullable=False),
    )


def create_focal_points() -> None:
    """Create the table of offices, each of which must have a mailbox."""
    op.create_table(
        "focal_point",
        sa.Column(
            "id", sa.Uuid(), sa.ForeignKey("mailbox.focal_point_id"), primary_key=True
        ),
        sa.Column("code", sa.String(40), nullable=False, unique=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", one_of("kind", KINDS), nullable=False),
        sa.Column("function", one_of("function", FUNCTIONS), nullable=False),
        sa.Column("of_state", sa.String(2)),
        sa.Column("serves", sa.JSON(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("services", sa.JSON(), nullable=False),
        sa.Column("can_lead", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("confidence", one_of("confidence", CONFIDENCE), nullable=False),
        sa.Column("source", sa.String()),
        sa.Column("as_of", sa.String()),
    )


def create_agreements() -> None:
    """Create the table of agreements on the data that may cross borders."""
    op.create_table(
        "agreement",
        sa.Column("code", sa.String(40), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("countries", sa.JSON(), nullable=False),
        sa.Column("in_force_from", sa.Date(), nullable=False),
        sa.Column("in_force_until", sa.Date()),
        sa.Column("confidence", one_of("confidence", CONFIDENCE), nullable=False),
        sa.Column("source", sa.String()),
    )


def create_accounts() -> None:
    """Create the tables of the accounts of focal points and of the API keys of accounts."""
    office, holder = sa.ForeignKey("focal_point.id"), sa.ForeignKey("account.id")
    kinds = one_of("accountkind", ("person", "integration"))
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("focal_point_id", sa.Uuid(), office, nullable=False, index=True),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("kind", kinds, nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("disabled_at", INSTANT),
    )
    op.create_table(
        "api_key",
        sa.Column("prefix", sa.String(12), primary_key=True),
        sa.Column("account_id", sa.Uuid(), holder, nullable=False, index=True),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT),
    )


def create_approvals() -> None:
    """Create the table of requests for the approval of a second person."""
    office, asker, decider = (
        sa.ForeignKey(of) for of in ("focal_point.id", "account.id", "account.id")
    )
    op.create_table(
        "approval",
        sa.Column("number", COUNTER, primary_key=True),
        sa.Column("id", sa.Uuid(), nullable=False, unique=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("decision", one_of("approvalstate", DECISIONS), nullable=False),
        sa.Column("focal_point_id", sa.Uuid(), office, nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("asked_by", sa.Uuid(), asker, nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("lapses_at", INSTANT, nullable=False),
        sa.Column("decided_by", sa.Uuid(), decider),
        sa.Column("decided_at", INSTANT),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_approval_focal_point_id_number", "approval", ["focal_point_id", "number"]
    )
