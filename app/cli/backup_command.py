"""The `backup` command, which copies the SQLite database while it is in use.

A plain copy of the file would lack the data in the write-ahead log. The command writes the
copy under a temporary name, checks it, and then renames it. An interrupted backup or a full
disk therefore leaves no file that looks complete.
"""

import os
import signal
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from sqlalchemy import make_url

from app.cli.startup import NotReady
from app.kernel.durable import sync_folder
from app.settings import Settings

ABOUT: Final = (
    "Copy the SQLite database to a file and check the copy. The service may be running."
)
ON_POSTGRESQL: Final = (
    "This command copies SQLite only. On PostgreSQL use pg_dump or the backup of your "
    "server; see docs/operations.md, Backup and restore."
)
PARTIAL_SUFFIX: Final = ".part"
SIDE_FILES: Final = ("-journal", "-wal", "-shm")
STEPS_PER_SIGNAL: Final = 1024
"""The number of copied pages, or of SQLite instructions, between checks for signals."""
CONTENT_QUERIES: Final = {
    "epoch": "SELECT value FROM epoch",
    "migration": "SELECT version_num FROM alembic_version",
    "cases": 'SELECT count(*) FROM "case"',
    "entries": "SELECT count(*) FROM entry",
}
out = Console()


@dataclass(frozen=True)
class Backup:
    """A complete backup. `holds` contains its epoch, migration and row counts."""

    path: Path
    size: int
    holds: dict[str, str]


def backup(
    target: Annotated[Path, typer.Argument(help="File to create; it must not exist.")],
) -> None:
    """Make a backup, and print its size, epoch, migration and row counts."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # same effect as Ctrl-C
    made = make_backup(Settings().database_url, target)
    contents = ", ".join(f"{name} {value}" for name, value in made.holds.items())
    out.print(f"{made.path}: {made.size} bytes, complete; {contents}.", soft_wrap=True)
    out.print(
        "Keep the key file and the ledger of erasures in another place. To restore: see "
        "docs/operations.md, Backup and restore.",
        soft_wrap=True,
    )


def make_backup(url: str, target: Path) -> Backup:
    """Copy an SQLite database to a new file, or raise NotReady if that fails."""
    source = make_url(url)
    if source.get_backend_name() != "sqlite" or not source.database:
        raise NotReady(ON_POSTGRESQL)
    if not Path(source.database).is_file():
        raise NotReady(
            f"There is no database at {source.database}. Run: safe-conduct migrate"
        )
    if target.exists():
        raise NotReady(f"{target} already exists. Give the backup another name.")
    partial = target.with_name(f"{target.name}{PARTIAL_SUFFIX}")
    remove_partial(partial)
    try:
        holds = copy_database(Path(source.database), partial)
        partial.rename(target)
        sync_folder(target)
    except (OSError, sqlite3.Error) as error:
        raise NotReady(f"The backup {target} was not made: {error}.") from error
    finally:
        remove_partial(partial)
    return Backup(target, target.stat().st_size, holds)


def copy_database(source: Path, partial: Path) -> dict[str, str]:
    """Copy and check a database, and return its epoch, migration and row counts.

    The copy is made in one transaction. Otherwise, SQLite would restart the copy after each
    commit of another process, and might never finish. The copy is flushed to the disk.
    Raises `sqlite3.Error`, for example if the database is damaged, or OSError.
    """
    os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    where = f"file:{source.absolute()}?mode=ro"
    with (
        closing(sqlite3.connect(where, uri=True)) as served,
        closing(sqlite3.connect(partial)) as copy,
    ):
        served.execute("BEGIN")
        served.execute("SELECT count(*) FROM sqlite_master").fetchone()
        served.backup(copy, pages=STEPS_PER_SIGNAL, progress=handle_signals)
        copy.set_progress_handler(handle_signals, STEPS_PER_SIGNAL)
        copy.execute("PRAGMA journal_mode = DELETE")  # no side files remain
        [(word,)] = copy.execute("PRAGMA integrity_check(1)").fetchall()
        if word != "ok" or copy.execute("PRAGMA foreign_key_check").fetchall():
            raise sqlite3.DatabaseError("the database itself is damaged")
        holds = {
            name: str(copy.execute(ask).fetchone()[0])
            for name, ask in CONTENT_QUERIES.items()
        }
    with partial.open("rb") as file:
        os.fsync(file.fileno())
    return holds


def handle_signals(*_: int) -> None:
    """Do nothing. SQLite calls this function so that Python can handle signals."""


def remove_partial(partial: Path) -> None:
    """Remove the files of an unfinished backup, if there are any."""
    for end in ("", *SIDE_FILES):
        partial.with_name(f"{partial.name}{end}").unlink(missing_ok=True)
