"""The commands that restore a backup, or verify it in a temporary database."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from typing import Annotated, Final

import typer
from sqlalchemy import URL, Connection, inspect, make_url, text

from app.cli import postgresql_programs, startup
from app.cli.backup_command import describe_content, describe_database
from app.cli.backup_folder import DATABASE, LEDGER, Description, copy_file, read_description
from app.cli.guard_checks import require_guards
from app.cli.progress import print_line, show_progress
from app.cli.readiness import require_key_file
from app.cli.restore import NO_LEDGER, RestoreResult, finish_restore
from app.cli.startup import NotReady
from app.cli.transit import build_key_service
from app.kernel.db import APP_ROLE, OWNER_ROLE, Database, open_engine
from app.kernel.durable import rename
from app.kernel.file_keys import FileKeys
from app.kernel.keyfile import read_lines
from app.kernel.schema_version import get_newest_migration
from app.runtime import build_runtime
from app.settings import Settings

NAME: Final = "verify_backup_"
"""The beginning of the name of a temporary database on PostgreSQL."""
RIGHTS: Final = (
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    f"GRANT USAGE, CREATE ON SCHEMA public TO {OWNER_ROLE}",
    f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}",
)
"""The rights on a new database, as in `roles.sql`."""
LOCK: Final = "SELECT pg_try_advisory_lock(hashtext(:name))"
"""A lock that the command holds while its temporary database exists."""
OWN_OID: Final = "SELECT oid FROM pg_database WHERE datname = current_database()"
LEFTOVERS: Final = """
SELECT datname FROM pg_database
WHERE starts_with(datname, :start) AND pg_try_advisory_lock(hashtext(datname))
"""
"""A query for temporary databases of this database, whose commands were killed."""
NOT_EMPTY: Final = """
{} exists or is not empty. Nothing was changed. To replace a database, stop every process,
and remove the database first. If a restore was interrupted, run: safe-conduct migrate, then
safe-conduct restored --erasures {}
""".strip().replace("\n", " ")
MAY_NOT_CREATE: Final = """
The login {} may not create a temporary database. As an administrator of the server, run:
ALTER ROLE {} CREATEDB
""".strip().replace("\n", " ")
SIDE_FILES: Final = ("", "-wal", "-shm", "-journal")
"""The files of an SQLite database. SQLite would apply a log that is left to the copy."""
Folder = Annotated[Path, typer.Argument(help="Folder that `safe-conduct backup` made.")]


def read_backup(settings: Settings, folder: Path) -> Description:
    """Check a backup, and return its description.

    Raises NotReady if the backup is damaged, is from a later version or from the other kind
    of database, or needs a key that the key file does not have.
    """
    made = read_description(folder)
    if made.migration > get_newest_migration():
        raise NotReady(f"The backup is from version {made.release}. Install that version.")
    kind = make_url(settings.database_url).get_backend_name()
    if made.database != kind:
        raise NotReady(f"The backup is from {made.database}, and the database is {kind}.")
    known = {line.version for line in read_lines(settings.key_file)}
    if missing := sorted({*made.keys} - known - {*settings.lost_keys.split()}):
        raise NotReady(
            f"The backup needs the keys {', '.join(missing)}, which {settings.key_file} "
            "does not have. Put the newest copy of the key file in its place."
        )
    return made


def restore_backup(
    settings: Settings, folder: Path, *, without: bool = False
) -> tuple[Description, RestoreResult]:
    """Restore a backup into an empty database, and do the steps after a restore.

    A ledger is required unless `without` is set. Raises NotReady if there is none, or if
    the database is not empty, and the errors of `read_backup` and `finish_restore`.
    """
    made = read_backup(settings, folder)
    ledger = folder / LEDGER if (folder / LEDGER).exists() else None
    if not (ledger or settings.erasure_ledger.exists() or without):
        raise NotReady(NO_LEDGER.format(settings.erasure_ledger))
    url = make_url(settings.migration_database_url or settings.database_url)
    load_database(url, folder)
    startup.migrate(settings)
    return made, finish_restore(settings, ledger, without=without and not ledger)


def load_database(url: URL, folder: Path) -> None:
    """Load the database of a backup. Raises NotReady if the target is not empty."""
    if url.get_backend_name() == "sqlite":
        path = Path(str(url.database))
        found = [f"{path}{end}" for end in SIDE_FILES if Path(f"{path}{end}").exists()]
        if found:
            raise NotReady(NOT_EMPTY.format(found[0], folder / LEDGER))
        partial = path.with_name(f"{path.name}.part")
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        copy_file(folder / DATABASE, partial)
        rename(partial, path)
        return
    database = Database(url.render_as_string(hide_password=False), OWNER_ROLE)
    try:
        with database.begin_read() as session:
            postgresql_programs.require_program("pg_restore", session)
            if inspect(session.connection()).get_table_names():
                raise NotReady(NOT_EMPTY.format(url.database, folder / LEDGER))
    finally:
        database.engine.dispose()
    words = str(folder / DATABASE)
    show_progress("restoring", postgresql_programs.run_program("pg_restore", url, words))


def verify_backup(settings: Settings, folder: Path) -> Description:
    """Restore a backup into a temporary database, check it, and delete it again.

    The copy is migrated, has all triggers, policies and rights, has the rows that the
    description names, and the key file opens secrets of each key. Raises NotReady.
    """
    made = read_backup(settings, folder)
    with make_copy(settings, folder) as url:
        copied = settings.model_copy(
            update={"database_url": url, "migration_database_url": None}
        )
        startup.migrate(copied)
        keys = FileKeys.load(settings.key_file, build_key_service(settings))
        built = build_runtime(url, keys)
        database = Database(url, OWNER_ROLE, built.database.macs)
        runtime = replace(built, database=database)
        try:
            with database.begin_read() as session:
                require_guards(session)
                found = describe_database(
                    lambda query: session.execute(text(query)), made.database, made.server
                )
            if (found.epoch, found.cases) != (made.epoch, made.cases) or (
                found.entries != made.entries
            ):
                raise NotReady(
                    f"The backup {folder} does not have the rows that it names: "
                    f"{describe_content(found)}."
                )
            require_key_file(runtime, settings.lost_keys.split())
        finally:
            database.engine.dispose()
    return made


@contextmanager
def make_copy(settings: Settings, folder: Path) -> Iterator[str]:
    """Restore a backup into a temporary database, yield its URL, and delete it."""
    url = make_url(settings.migration_database_url or settings.database_url)
    if url.get_backend_name() == "sqlite":
        home = folder.with_name(f"{folder.name}.verify")
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(mode=0o700)
        try:
            copy = url.set(database=str(home.absolute() / DATABASE))
            load_database(copy, folder)
            yield copy.render_as_string(hide_password=False)
        finally:
            shutil.rmtree(home)
        return
    with open_autocommit(url) as admin:
        require_may_create(admin, str(url.username))
        start = f"{NAME}{admin.scalar(text(OWN_OID))}_"
        left = admin.scalars(text(LEFTOVERS), {"start": start}).all()
        run_statements(admin, *(f"DROP DATABASE {one} WITH (FORCE)" for one in left))
        name = f"{start}{token_hex(8)}"
        copy = url.set(database=name)
        admin.execute(text(LOCK), {"name": name})
        try:
            run_statements(admin, f"CREATE DATABASE {name} TEMPLATE template0")
            with open_autocommit(copy) as inside:
                run_statements(
                    inside, f"REVOKE ALL ON DATABASE {name} FROM PUBLIC", *RIGHTS
                )
            load_database(copy, folder)
            yield copy.render_as_string(hide_password=False)
        finally:
            run_statements(admin, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextmanager
def open_autocommit(url: URL) -> Iterator[Connection]:
    """Yield a connection on which each statement is a transaction of its own."""
    engine = open_engine(url.render_as_string(hide_password=False))
    try:
        alone = engine.execution_options(isolation_level="AUTOCOMMIT")
        with alone.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def require_may_create(admin: Connection, login: str) -> None:
    """Raise NotReady unless the login may create databases."""
    asked = "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = session_user"
    if not admin.scalar(text(asked)):
        raise NotReady(MAY_NOT_CREATE.format(login, login))


def run_statements(connection: Connection, *statements: str) -> None:
    """Run statements, one after another."""
    for statement in statements:
        connection.execute(text(statement))


def verify(folder: Folder) -> None:
    """Restore a backup into a temporary database, check it there, and delete it again."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    made = verify_backup(Settings(), folder)
    print_line(f"{folder} can be restored; {describe_content(made)}.")
    print_line(f"The key file opens its secrets. Made at {made.made_at}.")
