"""The service refuses a database with weakened triggers, policies or rights (ADR 36)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app.cli.guard_checks import describe_login, require_bound_login, require_guards
from app.cli.startup import NotReady
from app.kernel import guards, migrations
from app.kernel.db import APP_ROLE, OWNER_ROLE, Database
from app.settings import Environment
from tests.support.databases import ask
from tests.support.dumps import restore_dump
from tests.support.world import Someone

BY_NAME = "safe_conduct_reporter"


@contextmanager
def apply_changes(url: str, *statements: str) -> Iterator[Session]:
    """Change a database as its administrator, yield a session, and undo the changes."""
    engine = create_engine(make_url(url), poolclass=NullPool)
    with engine.connect() as connection, connection.begin() as transaction:
        for statement in statements:
            connection.exec_driver_sql(statement)
        with Session(connection, join_transaction_mode="rollback_only") as session:
            yield session
        transaction.rollback()


def test_a_database_has_the_guards_that_the_migrations_make(url: str) -> None:
    database = Database(url)
    with database.begin_read() as session:
        found = guards.read_guards(session)
        expected = guards.load_expected(session.get_bind().dialect.name)
    database.engine.dispose()

    assert guards.compare(expected, found) == []
    optional = {name for name in expected if "MAINTAIN" in name}
    assert expected.keys() - optional == found.keys() - optional
    assert any(name.startswith("trigger entry_kept") for name in found)


REFUSED_ON_SQLITE = {
    "DROP TRIGGER access_entry_kept_from_delete": "is missing",
    "DROP TRIGGER mailbox_never_falls": "is missing",
    "DROP INDEX uq_party_open": "is missing",
    "CREATE TRIGGER hide AFTER INSERT ON access_entry BEGIN"
    " DELETE FROM heartbeat; END": "was added",
}
REBUILT = "CREATE TABLE kept (id INTEGER PRIMARY KEY, at TEXT UNIQUE ON CONFLICT IGNORE)"
CHANGED = (
    "DROP TRIGGER entry_kept_from_update",
    "CREATE TRIGGER entry_kept_from_update BEFORE UPDATE ON entry BEGIN SELECT 1; END",
)


@pytest.mark.parametrize("statement", REFUSED_ON_SQLITE)
def test_a_guard_of_sqlite_that_is_missing_or_added_refuses(
    sqlite_url: str, statement: str
) -> None:
    with (
        apply_changes(sqlite_url, statement) as session,
        pytest.raises(NotReady, match=REFUSED_ON_SQLITE[statement]) as refused,
    ):
        require_guards(session)

    assert statement.split()[2] in str(refused.value) or "unique party" in str(
        refused.value
    )


def test_a_table_of_sqlite_that_passes_rows_over_refuses(sqlite_url: str) -> None:
    with (
        apply_changes(sqlite_url, REBUILT) as session,
        pytest.raises(NotReady, match="conflict clause of kept was added"),
    ):
        require_guards(session)


def test_roles_that_the_login_could_take_on_are_looked_at(pg_url: str) -> None:
    login = f"CREATE ROLE {BY_NAME} LOGIN IN ROLE {APP_ROLE}"
    bypass = f"ALTER ROLE {APP_ROLE} BYPASSRLS"
    signed_in = f"SET SESSION AUTHORIZATION {BY_NAME}"
    with apply_changes(pg_url, login, bypass, signed_in) as session:
        findings = describe_login(session)
        session.execute(text("RESET SESSION AUTHORIZATION"))

    assert findings
    assert f"which has BYPASSRLS through the role {APP_ROLE}" in findings


def test_a_login_that_owns_the_schema_is_refused(pg_url: str) -> None:
    login = f"CREATE ROLE {BY_NAME} LOGIN IN ROLE {APP_ROLE}"
    owned = f"ALTER SCHEMA public OWNER TO {BY_NAME}"
    signed_in = f"SET SESSION AUTHORIZATION {BY_NAME}"
    with apply_changes(pg_url, login, owned, signed_in) as session:
        findings = describe_login(session)
        session.execute(text("RESET SESSION AUTHORIZATION"))

    assert findings
    assert "which owns the tables, the schema or the database, so" in findings


def test_a_guard_of_sqlite_that_was_changed_refuses(sqlite_url: str) -> None:
    with (
        apply_changes(sqlite_url, *CHANGED) as session,
        pytest.raises(NotReady, match="entry_kept_from_update on entry was changed"),
    ):
        require_guards(session)


REFUSED_ON_POSTGRESQL = {
    'ALTER TABLE "case" DISABLE ROW LEVEL SECURITY': "row security on case is missing",
    "ALTER TABLE sealed NO FORCE ROW LEVEL SECURITY": "row security on sealed was changed",
    "DROP POLICY of_its_parties ON party": "policy of_its_parties on party is missing",
    "CREATE POLICY all_of_it ON sealed USING (true)": "all_of_it on sealed was added",
    "ALTER POLICY of_its_parties ON consent USING (true)": "on consent was changed",
    "DROP TRIGGER access_entry_kept ON access_entry": "access_entry_kept on access_entry",
    "ALTER TABLE entry DISABLE TRIGGER entry_kept": "entry_kept on entry was changed",
    "CREATE RULE forget AS ON INSERT TO access_entry DO INSTEAD NOTHING": "rule forget",
    f"GRANT UPDATE ON entry TO {APP_ROLE}": f"right UPDATE on entry to {APP_ROLE}",
    f"GRANT UPDATE (facts) ON entry TO {APP_ROLE}": "right UPDATE on entry.facts to",
    f"GRANT DELETE ON access_entry TO {APP_ROLE}": "right DELETE on access_entry to",
    "GRANT INSERT ON api_key TO PUBLIC": "right INSERT on api_key to PUBLIC was added",
    f"GRANT CREATE ON SCHEMA public TO {APP_ROLE}": "right CREATE on schema public",
    f"ALTER TABLE sealed OWNER TO {APP_ROLE}": "owner of sealed was changed",
    "ALTER FUNCTION is_new(uuid) SECURITY INVOKER": "function is_new(uuid) was changed",
    "CREATE OR REPLACE FUNCTION acts_for() RETURNS text STABLE LANGUAGE sql"
    " AS $$ SELECT 'system'::text $$": "function acts_for() was changed",
    "ALTER TABLE access_entry SET UNLOGGED": "persistence of access_entry was added",
    "DROP INDEX uq_party_open": "unique index uq_party_open on party is missing",
    'ALTER TABLE "case" DROP CONSTRAINT ck_case_state': "ck_case_state on case is missing",
    "SET session_replication_role = 'replica'": "setting session_replication_role was",
    "CREATE OR REPLACE VIEW my_cases AS SELECT case_id FROM party": "view my_cases was",
}


@pytest.fixture
def restored_url(pg_url: str, tmp_path: Path) -> Iterator[str]:
    """Yield the URL of a database that was dumped and restored."""
    with restore_dump(pg_url, tmp_path) as restored:
        yield restored


def test_a_restored_dump_has_the_guards_that_the_migrations_make(
    restored_url: str,
) -> None:
    with apply_changes(restored_url) as session:
        found = guards.read_guards(session)
        assert require_guards(session) == []

    expected, restored = (
        load("postgresql") for load in (guards.load_expected, guards.load_restored)
    )
    assert len(restored) > 40
    assert {name: found[name] for name in restored} == restored
    assert {one.name for one in guards.compare(expected, found)} == restored.keys()


def test_a_dump_of_a_restored_dump_has_the_same_guards(
    restored_url: str, tmp_path: Path
) -> None:
    with (
        restore_dump(restored_url, tmp_path) as twice,
        apply_changes(twice) as session,
        apply_changes(restored_url) as first,
    ):
        assert guards.read_guards(session) == guards.read_guards(first)


OF_0_1_0 = "0038"
"""The newest migration of the release 0.1.0."""


def test_a_dump_of_an_earlier_release_has_the_guards_after_the_upgrade(
    pg_url: str, tmp_path: Path
) -> None:
    migrations.downgrade(pg_url, OF_0_1_0)

    with restore_dump(pg_url, tmp_path) as restored:
        migrations.upgrade(restored)
        with apply_changes(restored) as session:
            assert require_guards(session) == []


WEAKER_CHECK = """
    ALTER TABLE "case" DROP CONSTRAINT ck_case_priority,
    ADD CONSTRAINT ck_case_priority
    CHECK (priority IN ('emergency', 'urgent', 'normal', 'none'))
"""
WEAKER_TRIGGER = """
    CREATE OR REPLACE TRIGGER access_entry_kept BEFORE TRUNCATE ON access_entry
    EXECUTE FUNCTION refuse_rewriting()
"""


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (WEAKER_CHECK, "constraint ck_case_priority on case was changed"),
        (WEAKER_TRIGGER, "trigger access_entry_kept on access_entry was changed"),
        ("ALTER POLICY of_its_parties ON consent USING (true)", "on consent was changed"),
    ],
)
def test_a_weaker_guard_refuses_in_a_restored_database_too(
    restored_url: str, statement: str, named: str
) -> None:
    with (
        apply_changes(restored_url, statement) as session,
        pytest.raises(NotReady) as refused,
    ):
        require_guards(session)

    assert named in str(refused.value)


@pytest.mark.parametrize("statement", REFUSED_ON_POSTGRESQL)
def test_a_guard_of_postgresql_that_is_weakened_refuses(
    pg_url: str, statement: str
) -> None:
    with apply_changes(pg_url, statement) as session, pytest.raises(NotReady) as refused:
        require_guards(session)

    assert REFUSED_ON_POSTGRESQL[statement] in str(refused.value)


TOLERATED = {
    "CREATE INDEX reports ON entry (type)": "index reports on entry was added",
    "GRANT SELECT ON clock TO PUBLIC": "right SELECT on clock to PUBLIC was added",
    "CREATE VIEW open_clocks AS SELECT due_at FROM clock": "view open_clocks was added",
}


@pytest.mark.parametrize("statement", TOLERATED)
def test_what_cannot_weaken_a_guard_is_a_warning(pg_url: str, statement: str) -> None:
    with apply_changes(pg_url, statement) as session:
        warnings = require_guards(session)

    assert any(TOLERATED[statement] in line for line in warnings)


def test_an_index_of_an_operator_is_a_warning_on_sqlite(sqlite_url: str) -> None:
    with apply_changes(sqlite_url, "CREATE INDEX reports ON entry (type)") as session:
        [warning] = require_guards(session)

    assert warning.startswith("Warning: index reports on entry was added.")


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        ("LOGIN SUPERUSER", "is a superuser"),
        ("LOGIN BYPASSRLS", "has BYPASSRLS"),
        ("LOGIN CREATEROLE", "may create roles"),
        (
            f"LOGIN IN ROLE {OWNER_ROLE}",
            f"owns the tables, the schema or the database through the role {OWNER_ROLE}",
        ),
        (
            f"LOGIN IN ROLE {APP_ROLE}, pg_write_all_data",
            "has rights on every table through the role pg_write_all_data",
        ),
        (f"LOGIN IN ROLE {APP_ROLE}", None),
    ],
)
def test_a_login_that_no_guard_binds_is_refused_in_production(
    pg_url: str, attributes: str, why: str | None
) -> None:
    signed_in = f"SET SESSION AUTHORIZATION {BY_NAME}"
    with apply_changes(pg_url, f"CREATE ROLE {BY_NAME} {attributes}", signed_in) as session:
        findings = describe_login(session)
        warned = [
            w for w in require_bound_login(session, Environment.DRILL) if BY_NAME in w
        ]
        if why:
            with pytest.raises(NotReady, match=f"{BY_NAME}, which {why}"):
                require_bound_login(session, Environment.PRODUCTION)
        else:
            require_bound_login(session, Environment.PRODUCTION)
        session.execute(text("RESET SESSION AUTHORIZATION"))

    assert (findings is not None, len(warned)) == (bool(why), int(bool(why)))


# The head of a mailbox.


def get_refusal(url: str, *statements: str) -> str:
    """Return the message with which the database refuses these statements."""
    with pytest.raises(DBAPIError) as refused:
        ask(url, *statements)
    return str(refused.value.orig)


def test_the_head_of_a_mailbox_never_falls(url: str, officer: Someone) -> None:
    officer.submit()

    fallen = get_refusal(url, "UPDATE mailbox SET head = head - 1 WHERE head > 0")
    deleted = get_refusal(url, "DELETE FROM mailbox")

    assert "the head of a mailbox never falls" in fallen
    assert "mailbox" in deleted


def test_the_head_of_a_mailbox_grows_with_its_deliveries_alone(
    pg_url: str, officer: Someone
) -> None:
    officer.submit()

    gap = get_refusal(pg_url, "UPDATE mailbox SET head = head + 1 WHERE head > 0")

    assert "the head of a mailbox grows with its deliveries alone" in gap
