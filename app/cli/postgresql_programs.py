"""Calls of pg_dump and pg_restore, with their progress and errors in words."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from typing import Final

from sqlalchemy import URL
from sqlalchemy.orm import Session

from app.cli.startup import NotReady
from app.cli.versions import VERSION_NUMBERS, get_parameter
from app.kernel.db import OWNER_ROLE, Base

OPTIONS: Final = {
    "pg_dump": ("--enable-row-security", "--format=custom"),
    "pg_restore": ("--exit-on-error", "--single-transaction"),
}
"""The options of each program. The owner of the tables can see all rows (ADR 21)."""
STARTED: Final = ("dumping contents of table ", "processing data for table ")
"""What the programs print when they begin with a table."""
ERROR: Final = "error: "


def require_program(name: str, session: Session) -> None:
    """Raise NotReady if a program is missing, or older than the server of a session."""
    major = int(get_parameter(session, "server_version_num")) // VERSION_NUMBERS
    remedy = (
        f"Install the client programs of PostgreSQL {major} or newer, and put their folder "
        "first in PATH."
    )
    if shutil.which(name) is None:
        raise NotReady(f"There is no program {name}. {remedy}")
    asked = [name, "--version"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True)  # noqa: S603 - a fixed name
    found = said.stdout.partition(") ")[2].partition(".")[0].strip()
    if not found.isdecimal() or int(found) < major:
        raise NotReady(
            f"The program {name} has version {found}, and the server has version {major}. "
            f"{remedy}"
        )


def run_program(name: str, url: URL, *words: str) -> Iterator[tuple[int, int]]:
    """Run pg_dump or pg_restore, and yield the numbers of finished tables and of all.

    The password is passed in the environment, because every user can read a command line.
    Raises NotReady with the text of the program if it fails.
    """
    target = url.set(drivername="postgresql", password=None)
    named = f"--dbname={target.render_as_string(hide_password=False)}"
    command = [name, named, f"--role={OWNER_ROLE}", "--verbose", *OPTIONS[name], *words]
    variables = os.environ | {"LC_ALL": "C"}
    if url.password:
        variables["PGPASSWORD"] = str(url.password)
    done, total, said = 0, len(Base.metadata.tables), list[str]()
    with subprocess.Popen(  # noqa: S603 - a fixed name, and no shell
        command, env=variables, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        try:
            for line in process.stderr or ():
                if any(text in line for text in STARTED):
                    done += 1
                    yield min(done, total), total
                elif ERROR in line:
                    said.append(line.partition(ERROR)[2].strip())
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise NotReady(f"{name} failed: {'; '.join(said) or process.returncode}")
    yield total, total
