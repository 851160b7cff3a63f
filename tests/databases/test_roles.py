"""Tests of the rights of the service on PostgreSQL, where its role owns nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import ProgrammingError

from app.kernel import migrations
from app.kernel.db import APP_ROLE, OWNER_ROLE, Base, Database
from app.kernel.schema_version import get_current_migration, get_newest_migration
from tests.support.databases import ask

# A second copy of the migration's grants: a new right takes two deliberate edits.
MAY_INSERT = """
    access_entry account agreement api_key approval case case_key clock consent country
    delivery directory_change entry erasure fact focal_point handover left_out mailbox
    outcome party question referral retrieval return_checklist return_step risk_assessment
    screening sealed shortlisted sighting time_limit
    vital_interest default_contacts form_draft
    firing handed_on heartbeat clock_jump
    contact outgoing telling
    vital_reading refusal
    webhook webhook_secret
    public_key access_token
    document_key
    person session
    passkey used_challenge enrolment
    counted_week week_figures figure_release meeting_point
"""
MAY_UPDATE = """
    account agreement api_key approval case case_key clock consent country focal_point
    handed_on handover mailbox party question referral return_checklist sealed shortlisted
    time_limit heartbeat clock_jump
    contact outgoing
    vital_reading default_contacts form_draft
    webhook webhook_secret
    public_key
    document_key
    person session
    passkey enrolment
"""
NOT_BY_THE_OWNER = (
    "entry",
    "delivery",
    "access_entry",
    "directory_change",
    "telling",
    "erasure",
    "figure_release",
)
MAY_DELETE = """
    case_key fact left_out question return_step risk_assessment screening sealed shortlisted
    access_token document_key default_contacts form_draft session
    used_challenge enrolment meeting_point
"""
MAY_MAINTAIN = "case_key document_key form_draft"
"""Tables that are rewritten, so that no file keeps a destroyed key (docs/privacy.md)."""
KEPT = (
    "entry",
    "delivery",
    "retrieval",
    "sighting",
    "access_entry",
    "directory_change",
    "telling",
    "erasure",
    "figure_release",
)


@pytest.fixture
def service(pg_url: str) -> Iterator[Database]:
    database = Database(pg_url)
    yield database
    database.engine.dispose()


def list_permitted(url: str, right: str) -> set[str]:
    """Return the tables on which the application's role has a right, granted in any way."""
    query = f"""SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
        AND has_table_privilege('{APP_ROLE}', oid, '{right}')"""
    return {str(name) for (name,) in ask(url, query)}


def test_the_service_acts_as_its_role(service: Database) -> None:
    with service.begin_read() as reading:
        read = reading.scalar(text("SELECT current_user"))
    with service.begin_write() as writing:
        written = writing.scalar(text("SELECT current_user"))

    assert read == written == APP_ROLE


def test_neither_role_signs_in_or_is_above_the_rules(pg_url: str) -> None:
    query = f"""SELECT rolname FROM pg_roles
        WHERE rolname IN ('{APP_ROLE}', '{OWNER_ROLE}') AND NOT (rolsuper OR rolbypassrls
        OR rolcreaterole OR rolcreatedb OR rolreplication OR rolcanlogin)"""

    assert {name for (name,) in ask(pg_url, query)} == {APP_ROLE, OWNER_ROLE}


def test_the_service_is_a_member_of_nothing(pg_url: str) -> None:
    query = f"""SELECT roleid FROM pg_auth_members
        WHERE member IN ('{APP_ROLE}'::regrole, '{OWNER_ROLE}'::regrole)"""

    assert ask(pg_url, query) == []


def test_the_owner_owns_everything_that_migrations_make(pg_url: str) -> None:
    owned = ask(
        pg_url,
        """SELECT relname, pg_get_userbyid(relowner) FROM pg_class
        WHERE relnamespace = 'public'::regnamespace
        UNION ALL SELECT proname, pg_get_userbyid(proowner) FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace""",
    )

    assert {owner for _, owner in owned} == {OWNER_ROLE}
    assert {*Base.metadata.tables, "alembic_version"} <= {name for name, _ in owned}


def test_the_service_may_do_what_it_needs_and_no_more(pg_url: str) -> None:
    assert list_permitted(pg_url, "SELECT") == {*Base.metadata.tables, "alembic_version"}
    assert list_permitted(pg_url, "INSERT") == set(MAY_INSERT.split())
    assert list_permitted(pg_url, "UPDATE") == set(MAY_UPDATE.split())
    assert list_permitted(pg_url, "DELETE") == set(MAY_DELETE.split())
    assert list_permitted(pg_url, "MAINTAIN") == set(MAY_MAINTAIN.split())
    assert list_permitted(pg_url, "TRUNCATE, REFERENCES, TRIGGER") == set()


def test_the_service_draws_numbers_but_does_not_set_them(pg_url: str) -> None:
    query = f"""SELECT count(*),
        bool_and(has_sequence_privilege('{APP_ROLE}', oid, 'USAGE')),
        bool_or(has_sequence_privilege('{APP_ROLE}', oid, 'UPDATE'))
        FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace"""

    assert ask(pg_url, query) == [(17, True, False)]


def test_no_right_comes_by_itself(pg_url: str) -> None:
    granted_to_all = """SELECT relname FROM pg_class, aclexplode(relacl) AS granted
        WHERE relnamespace = 'public'::regnamespace AND granted.grantee = 0"""

    assert ask(pg_url, "SELECT * FROM pg_default_acl") == []
    assert ask(pg_url, granted_to_all) == []


@pytest.mark.parametrize("table", KEPT)
@pytest.mark.parametrize(
    "change",
    ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0}"],
)
def test_the_service_cannot_rewrite(service: Database, table: str, change: str) -> None:
    column = next(iter(Base.metadata.tables[table].columns)).name

    assert is_denied(service, change.format(table, column))


@pytest.mark.parametrize(
    "change",
    [
        "CREATE TABLE mine (id integer)",
        "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE entry DISABLE TRIGGER ALL",
        "DROP TRIGGER entry_kept ON entry",
        "DROP TABLE entry",
        "DROP FUNCTION refuse_rewriting() CASCADE",
        "SET session_replication_role = 'replica'",  # no trigger fires in this mode
        "UPDATE epoch SET value = 'another'",
        "UPDATE alembic_version SET version_num = '0000'",
    ],
)
def test_the_service_cannot_change_the_rules(service: Database, change: str) -> None:
    assert is_denied(service, change)


def is_denied(database: Database, statement: str) -> bool:
    with pytest.raises(ProgrammingError) as refused, database.begin_write() as session:
        session.execute(text(statement))
    return getattr(refused.value.orig, "sqlstate", None) == "42501"


@pytest.mark.parametrize("table", NOT_BY_THE_OWNER)
def test_not_even_the_owner_empties_the_journal(pg_url: str, table: str) -> None:
    with pytest.raises(Exception, match="is never rewritten"):
        ask(pg_url, f"SET ROLE {OWNER_ROLE}", f"TRUNCATE {table} CASCADE")


@contextmanager
def create_login(url: str, role: str) -> Iterator[str]:
    """Create a login with one role, as in production, and yield the URL of this login."""
    name, password = f"login_{token_hex(4)}", token_hex(8)
    ask(url, f"CREATE ROLE {name} LOGIN PASSWORD '{password}' IN ROLE {role}")
    made = make_url(url).set(username=name, password=password)
    try:
        yield made.render_as_string(hide_password=False)
    finally:
        ask(url, f"DROP ROLE {name}")


def test_a_login_of_the_app_role_serves_and_does_not_migrate(pg_url: str) -> None:
    with create_login(pg_url, APP_ROLE) as mine:
        database = Database(mine)
        with database.begin_read() as session:
            assert get_current_migration(session) == get_newest_migration()
        database.engine.dispose()
        with pytest.raises(ProgrammingError, match="permission denied to set role"):
            migrations.upgrade(mine)


def test_a_login_of_the_owner_role_migrates_and_does_not_serve(pg_url: str) -> None:
    with create_login(pg_url, OWNER_ROLE) as mine:
        migrations.downgrade(mine, "base")
        migrations.upgrade(mine)
        database = Database(mine)
        with pytest.raises(ProgrammingError, match="permission denied to set role"):
            read(database)
        database.engine.dispose()

    assert list_permitted(pg_url, "INSERT") == set(MAY_INSERT.split())


def read(database: Database) -> None:
    with database.begin_read() as session:
        session.execute(text("SELECT 1"))
