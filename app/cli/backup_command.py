"""The commands that make, restore and verify a backup of the database and the ledger.

A plain copy of an SQLite file would lack the data in the write-ahead log. A backup is
written to a folder with a temporary name, checked, and then renamed. An interrupted backup
or a full disk therefore leaves no folder that looks complete.
"""

import os
import signal
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from sqlalchemy import URL, make_url, select, text

from app.cli import postgresql_programs
from app.cli.backup_folder import (
    DATABASE,
    LEDGER,
    Description,
    copy_file,
    create_folder,
    write_description,
)
from app.cli.progress import print_line, show_progress
from app.cli.startup import NotReady, require_migrated
from app.cli.versions import get_parameter
from app.cli.wrapped_keys import WRAPPED
from app.clock import get_utc_now
from app.kernel.db import OWNER_ROLE, Database
from app.kernel.schema_version import get_newest_migration
from app.settings import Settings

STEPS_PER_SIGNAL: Final = 1024
"""The number of copied pages, or of SQLite instructions, between checks for signals."""
NO_TIMEOUT: Final = "SET LOCAL idle_in_transaction_session_timeout = 0"
CONTENT: Final = """
SELECT (SELECT value FROM epoch), (SELECT version_num FROM alembic_version),
    (SELECT count(*) FROM "case"), (SELECT count(*) FROM entry)
"""
"""A query for the epoch, the migration, and the numbers of cases and journal entries."""
NO_LEDGER: Final = """
Warning: there is no ledger of erasures at {}, so the backup has none. Copy the ledger to
the backups too: without it, a restore brings cases back that were erased after the backup.
""".strip().replace("\n", " ")


def backup(
    folder: Annotated[Path, typer.Argument(help="Folder to create; it must not exist.")],
) -> None:
    """Back up the database and the ledger of erasures. The service may be running."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # same effect as Ctrl-C
    settings = Settings()
    made = make_backup(settings, folder)
    print_line(f"{folder}: complete; {describe_content(made)}.")
    if made.cases and not (folder / LEDGER).exists():
        print_line(NO_LEDGER.format(settings.erasure_ledger))
    print_line(
        f"It needs the keys {', '.join(made.keys) or '(none)'}. Keep the key file in "
        "another place. Test the backup: safe-conduct verify-backup FOLDER"
    )


def describe_content(made: Description) -> str:
    """Return the epoch, the migration and the numbers of rows of a backup as text."""
    return (
        f"epoch {made.epoch}, migration {made.migration}, {made.cases} cases, "
        f"{made.entries} entries of the journal"
    )


def make_backup(settings: Settings, target: Path) -> Description:
    """Copy the database and then the ledger to a new folder, or raise NotReady.

    The ledger is copied last. Otherwise, it could lack an erasure of a case whose key was
    still in the database when that was copied.
    """
    url = make_url(settings.migration_database_url or settings.database_url)
    with create_folder(target) as folder:
        if url.get_backend_name() == "sqlite":
            made = copy_sqlite_database(Path(str(url.database)), folder / DATABASE)
        else:
            made = copy_postgresql_database(url, folder / DATABASE)
        if settings.erasure_ledger.exists():
            copy_file(settings.erasure_ledger, folder / LEDGER)
        write_description(folder, made)
    return made


def copy_postgresql_database(url: URL, target: Path) -> Description:
    """Dump a database on PostgreSQL, and describe the same state of the database.

    Raises NotReady if pg_dump is missing, is too old or fails.
    """
    database = Database(url.render_as_string(hide_password=False), OWNER_ROLE)
    try:
        with database.begin_read() as session:
            session.execute(text(NO_TIMEOUT))
            postgresql_programs.require_program("pg_dump", session)
            require_migrated(session)
            server = get_parameter(session, "server_version")
            made = describe_database(
                lambda query: session.execute(text(query)), "postgresql", server
            )
            snapshot = session.scalar(text("SELECT pg_export_snapshot()"))
            words = (f"--snapshot={snapshot}", f"--file={target}")
            show_progress(
                "backing up", postgresql_programs.run_program("pg_dump", url, *words)
            )
    finally:
        database.engine.dispose()
    return made


def copy_sqlite_database(source: Path, target: Path) -> Description:
    """Copy an SQLite database to a new file, and describe the copy, or raise NotReady."""
    if not source.is_file():
        raise NotReady(f"There is no database at {source}. Run: safe-conduct migrate")
    try:
        show_progress("backing up", copy_database(source, target))
        with closing(sqlite3.connect(target)) as copy:
            return describe_database(copy.execute, "sqlite", sqlite3.sqlite_version)
    except sqlite3.Error as error:
        raise NotReady(f"The backup was not made: {error}.") from error


def copy_database(source: Path, target: Path) -> Iterator[tuple[int, int]]:
    """Copy and check an SQLite database; yield the numbers of copied pages and of all.

    The copy is made in one transaction. Otherwise, SQLite would restart the copy after each
    commit of another process, and might never finish. Raises `sqlite3.Error`, for example
    if the database is damaged, or OSError.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    where = f"file:{source.absolute()}?mode=ro"
    with (
        closing(sqlite3.connect(where, uri=True)) as served,
        closing(sqlite3.connect(target)) as copy,
    ):
        served.execute("BEGIN")
        served.execute("SELECT count(*) FROM sqlite_master").fetchone()
        served.backup(copy, pages=STEPS_PER_SIGNAL, progress=handle_signals)
        yield 1, 2
        copy.set_progress_handler(handle_signals, STEPS_PER_SIGNAL)
        copy.execute("PRAGMA journal_mode = DELETE")  # no side files remain
        [(word,)] = copy.execute("PRAGMA integrity_check(1)").fetchall()
        if word != "ok" or copy.execute("PRAGMA foreign_key_check").fetchall():
            raise sqlite3.DatabaseError("the database itself is damaged")
        yield 2, 2


def handle_signals(*_: int) -> None:
    """Do nothing. SQLite calls this function so that Python can handle signals."""


type ReadRows = Callable[[str], Iterable[Any]]
"""A function that returns the rows of a query."""


def describe_database(read_rows: ReadRows, kind: str, server: str) -> Description:
    """Describe a database of a kind. Raises NotReady unless it is migrated."""
    [(epoch, migration, cases, entries)] = read_rows(CONTENT)
    if migration != get_newest_migration():
        raise NotReady("Make the backup with the version that uses this database.")
    return Description(
        made_at=get_utc_now().isoformat(timespec="seconds"),
        release=version("safe-conduct"),
        database=kind,
        server=server,
        epoch=str(epoch),
        migration=str(migration),
        cases=cases,
        entries=entries,
        keys=tuple(sorted(list_key_versions(read_rows))),
    )


def list_key_versions(read_rows: ReadRows) -> set[str]:
    """Return the versions of the keys that wrap a secret in the database."""
    queries = (
        select(table.version_column).where(table.alone).distinct() for table in WRAPPED
    )
    return {key for query in queries for (key,) in read_rows(str(query))}
