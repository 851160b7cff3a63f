"""Expand: drafts of forms, which keep the entered values for 24 hours (ADR 69)."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"

APP_ROLE = "safe_conduct_app"
# A draft belongs to one office. The parties of its case see the row, but not the content,
# so that the office which erases the case can delete it.
WALL = """CREATE POLICY of_its_office ON form_draft TO safe_conduct_app USING (
    (SELECT acts_for()) = 'system'
    OR focal_point_id::text = (SELECT acts_for())
    OR EXISTS (SELECT FROM my_cases WHERE my_cases.case_id = form_draft.case_id OFFSET 0)
)"""
# From PostgreSQL 17 on, there is a right to rewrite a table (as in 0026).
MAINTAIN = """DO $$ BEGIN
    IF current_setting('server_version_num')::int >= 170000 THEN
        EXECUTE 'GRANT MAINTAIN ON form_draft TO safe_conduct_app';
    END IF;
END $$"""
DOOR = "CREATE POLICY of_the_owner ON form_draft TO safe_conduct_owner USING (true)"


def upgrade() -> None:
    """Create the table, with row security on PostgreSQL."""
    op.create_table(
        "form_draft",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "focal_point_id", sa.Uuid(), sa.ForeignKey("focal_point.id"), nullable=False
        ),
        sa.Column("form", sa.String(40), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), sa.ForeignKey("case.id")),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("owner_id", "focal_point_id", "form", "subject"),
    )
    op.create_index("ix_form_draft_case_id", "form_draft", ["case_id"])
    op.create_index("ix_form_draft_expires_at", "form_draft", ["expires_at"])
    if op.get_context().dialect.name != "sqlite":
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON form_draft TO {APP_ROLE}")
        op.execute(MAINTAIN)
        op.execute(WALL)
        op.execute(DOOR)
        for how in ("ENABLE", "FORCE"):
            op.execute(f"ALTER TABLE form_draft {how} ROW LEVEL SECURITY")


def downgrade() -> None:
    """Drop the table. The values of forms that were not sent are lost."""
    op.drop_table("form_draft")
