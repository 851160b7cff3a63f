"""The newest migration of this code, and the migration of a database.

They are read without Alembic, which takes 8 MB of memory.
"""

from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

SCRIPTS: Final = Path(__file__).parents[2] / "migrations"
"""The folder of the migrations."""


@cache
def get_newest_migration() -> str:
    """Return the id of the newest migration of this code.

    The name of each migration begins with its id, which is one more than the id before.
    """
    ids = [path.name.partition("_")[0] for path in SCRIPTS.glob("versions/*_*.py")]
    if not ids:
        raise RuntimeError(f"There are no migrations in {SCRIPTS}.")
    return max(ids)


def get_current_migration(session: Session) -> str | None:
    """Return the migration of the database, or None if the database has no tables yet."""
    if not inspect(session.connection()).has_table("alembic_version"):
        return None
    found: str | None = session.scalar(text("SELECT version_num FROM alembic_version"))
    return found
