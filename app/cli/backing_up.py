"""A backup of the embedded database: a whole copy of one moment, while it is served.

A copy of the file is none: what is in its journal would be missing. It is written under
another name, read again from end to end, and only then is there: half a backup, after a
kill or on a full disk, is not taken for one.
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

from app.cli.grounds import NotReady
from app.kernel.durable import sync_folder
from app.settings import Settings

ABOUT: Final = (
    "Copy the SQLite database to a file, while it is served; the copy is checked."
)
ON_POSTGRESQL: Final = (
    "This copies SQLite. On PostgreSQL: pg_dump, or what backs your server up; see "
    "docs/operations.md, Backup and restore."
)
PART: Final = ".part"
SIDE_FILES: Final = ("-journal", "-wal", "-shm")
AT_ONCE: Final = 1024
"""Pages that are copied, or operations of the check, before a signal is heard."""
STOOD: Final = {
    "epoch": "SELECT value FROM epoch",
    "migration": "SELECT version_num FROM alembic_version",
    "cases": 'SELECT count(*) FROM "case"',
    "entries": "SELECT count(*) FROM entry",
}
out = Console()


@dataclass(frozen=True)
class Backup:
    """Where it is, and what it holds: to be compared with what is restored."""

    path: Path
    size: int
    holds: dict[str, str]


def backup(
    target: Annotated[Path, typer.Argument(help="A file that is not there yet.")],
) -> None:
    """Make a backup, and say what is in it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does
    made = make(Settings().database_url, target)
    held = ", ".join(f"{name} {value}" for name, value in made.holds.items())
    out.print(f"{made.path}: {made.size} bytes, whole; {held}.", soft_wrap=True)
    out.print(
        "Keep the key file and the ledger of erasures apart from it. To restore: "
        "docs/operations.md, Backup and restore.",
        soft_wrap=True,
    )


def make(url: str, target: Path) -> Backup:
    """Copy a database to a file that is not there yet; raises NotReady."""
    source = make_url(url)
    if source.get_backend_name() != "sqlite" or not source.database:
        raise NotReady(ON_POSTGRESQL)
    if not Path(source.database).is_file():
        raise NotReady(f"There is no database at {source.database}: safe-conduct migrate")
    if target.exists():
        raise NotReady(f"There is something at {target}: give the backup another name.")
    part = target.with_name(f"{target.name}{PART}")
    remove(part)
    try:
        holds = copied(Path(source.database), part)
        part.rename(target)
        sync_folder(target)
    except (OSError, sqlite3.Error) as trouble:
        raise NotReady(f"There is no backup at {target}: {trouble}.") from trouble
    finally:
        remove(part)
    return Backup(target, target.stat().st_size, holds)


def copied(source: Path, part: Path) -> dict[str, str]:
    """Copy it, see that it is whole, and bring it to the disk; says what it holds.

    All steps copy one moment, which a transaction holds: without it each commit of others
    makes SQLite begin anew, and while it is served there is no end.
    """
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    where = f"file:{source.absolute()}?mode=ro"
    with (
        closing(sqlite3.connect(where, uri=True)) as served,
        closing(sqlite3.connect(part)) as copy,
    ):
        served.execute("BEGIN")
        served.execute("SELECT count(*) FROM sqlite_master").fetchone()
        served.backup(copy, pages=AT_ONCE, progress=hear)
        copy.set_progress_handler(hear, AT_ONCE)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, and none beside it
        [(word,)] = copy.execute("PRAGMA integrity_check(1)").fetchall()
        if word != "ok" or copy.execute("PRAGMA foreign_key_check").fetchall():
            raise sqlite3.DatabaseError("the database itself is damaged")
        holds = {name: str(copy.execute(ask).fetchone()[0]) for name, ask in STOOD.items()}
    with part.open("rb") as file:
        os.fsync(file.fileno())
    return holds


def hear(*_: int) -> None:
    """Let a signal be heard: Python hears none while SQLite works."""


def remove(part: Path) -> None:
    """Take away what a backup left that was not finished."""
    for end in ("", *SIDE_FILES):
        part.with_name(f"{part.name}{end}").unlink(missing_ok=True)
