"""The migrations create exactly the tables that the code declares."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import (
    Connection,
    create_engine,
    func,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from app.kernel import migrations
from app.kernel.db import Base, Database
from app.kernel.journal import Epoch
from app.kernel.schema_version import get_current_migration, get_newest_migration
from tests.support.table_rows import fill_tables

ROOT = Path(__file__).parents[2]
REVISIONS = sorted((ROOT / "migrations" / "versions").glob("*.py"))
NEVER_REWRITTEN = (
    "entry",
    "delivery",
    "access_entry",
    "directory_change",
    "telling",
    "erasure",
    "figure_release",
)


@contextmanager
def connect_as_login(url: str) -> Iterator[Connection]:
    """Yield a connection as the login, not as the service's role."""
    engine = create_engine(make_url(url), poolclass=NullPool)
    with engine.begin() as connection:
        yield connection


def count_rows(url: str) -> dict[str, int]:
    with connect_as_login(url) as connection:
        return {
            table.name: connection.scalars(select(func.count()).select_from(table)).one()
            for table in Base.metadata.sorted_tables
        }


def describe_tables(url: str) -> set[str]:
    """Return lines that describe the columns, constraints and indices of all tables."""
    with connect_as_login(url) as connection:
        found = inspect(connection)
        lines = {
            f"{table}: {what}"
            for table in Base.metadata.tables
            for what in (
                *map(str, found.get_check_constraints(table)),
                *map(str, found.get_foreign_keys(table)),
                *map(str, found.get_unique_constraints(table)),
                *(
                    f"{c['name']} {c['type']} {c['nullable']}"
                    for c in found.get_columns(table)
                ),
                str(found.get_pk_constraint(table)),
            )
        }
        return lines | list_indices(connection)


def list_indices(connection: Connection) -> set[str]:
    """Return the definitions of indices with their conditions.

    Reflection by SQLAlchemy would omit the conditions. On SQLite, the result also has a
    line for each table with AUTOINCREMENT.
    """
    if connection.dialect.name == "postgresql":
        query = "SELECT indexdef FROM pg_indexes WHERE tablename != 'alembic_version'"
    else:
        query = """SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
            UNION SELECT tbl_name || ' counts' FROM sqlite_master
            WHERE sql LIKE '%AUTOINCREMENT%'"""
    return set(connection.scalars(text(query)))


def test_migrations_make_the_tables_the_code_knows(url: str) -> None:
    migrations.check(url)


def test_every_constraint_and_index_is_the_one_the_code_names(url: str) -> None:
    migrated = describe_tables(url)

    migrations.downgrade(url, "base")
    with connect_as_login(url) as connection:
        Base.metadata.create_all(connection)

    assert describe_tables(url) == migrated
    assert len(migrated) > 3 * len(Base.metadata.tables)


def test_every_table_takes_a_row_from_the_service(url: str) -> None:
    before = count_rows(url)

    fill_tables(url)

    added = {name: count - before[name] for name, count in count_rows(url).items()}
    assert set(added) == {table.name for table in Base.metadata.sorted_tables}
    assert {name for name, count in added.items() if count != 1} == {"epoch"}


def test_migrations_go_down_and_up_again_with_rows_in_the_tables(url: str) -> None:
    fill_tables(url)

    migrations.downgrade(url, "base")
    migrations.upgrade(url)

    migrations.check(url)
    assert {name for name, count in count_rows(url).items() if count} == {"epoch"}
    fill_tables(url)


def test_each_migration_can_be_undone_by_itself(url: str) -> None:
    fill_tables(url)

    for _ in REVISIONS:
        migrations.downgrade(url, "-1")
        migrations.upgrade(url, "+1")
        migrations.downgrade(url, "-1")
    migrations.upgrade(url)

    migrations.check(url)


@pytest.mark.slow
def test_two_that_migrate_at_once_do_it_once(url: str) -> None:
    migrations.downgrade(url, "base")
    command = (
        "import sys; from app.kernel import migrations; migrations.upgrade(sys.argv[1])"
    )

    both = [subprocess.Popen([sys.executable, "-c", command, url]) for _ in range(2)]

    assert [process.wait(30) for process in both] == [0, 0]
    assert count_rows(url)["epoch"] == 1


def test_a_database_knows_which_migration_it_stands_at(database: Database) -> None:
    with database.begin_read() as session:
        assert (
            get_current_migration(session)
            == get_newest_migration()
            == ScriptDirectory.from_config(migrations.build_config("")).get_current_head()
        )


def test_migrations_are_numbered_without_a_gap() -> None:
    numbers = [int(path.name.split("_")[0]) for path in REVISIONS]

    assert numbers == list(range(1, len(REVISIONS) + 1))


def test_a_database_has_one_name_of_its_own(database: Database, url: str) -> None:
    with database.begin_read() as session:
        before = session.scalars(select(Epoch.value)).one()

    migrations.downgrade(url, "base")
    migrations.upgrade(url)

    with database.begin_read() as session:
        after = session.scalars(select(Epoch.value)).one()
    assert len(before) == len(after) == 8
    assert before != after


@pytest.mark.parametrize("table", NEVER_REWRITTEN)
@pytest.mark.parametrize(
    "change", ["UPDATE {table} SET {column} = {column}", "DELETE FROM {table}"]
)
def test_the_journal_is_never_rewritten(url: str, table: str, change: str) -> None:
    fill_tables(url)
    before, column = (
        count_rows(url)[table],
        next(iter(Base.metadata.tables[table].columns)).name,
    )

    with (
        pytest.raises(DBAPIError, match=f"{table} is never rewritten"),
        connect_as_login(url) as c,
    ):
        c.execute(text(change.format(table=table, column=column)))

    assert count_rows(url)[table] == before > 0


def test_a_migration_that_leaves_a_row_alone_is_not_kept(sqlite_url: str) -> None:
    with connect_as_login(sqlite_url) as connection:  # foreign keys are off here
        connection.execute(
            text("INSERT INTO sighting VALUES (:who, :who, '2026-06-01')"),
            {"who": "0" * 32},
        )

    with pytest.raises(RuntimeError, match="rows that are not there"):
        migrations.upgrade(sqlite_url)


def test_migrations_know_every_table() -> None:
    env = ast.parse((ROOT / "migrations" / "env.py").read_text())
    imported = {
        ROOT / f"{node.module}.{name.name}".replace(".", "/")
        for node in ast.walk(env)
        if isinstance(node, ast.ImportFrom) and node.module
        for name in node.names
    }

    with_tables = {
        path.with_suffix("")
        for path in (ROOT / "app").rglob("*.py")
        if "\n    __tablename__ = " in path.read_text("utf-8")
    }

    assert with_tables <= imported
    assert {path.with_suffix("") for path in (ROOT / "app").glob("*/models.py")} <= imported
