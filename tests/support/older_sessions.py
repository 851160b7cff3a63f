"""Make sessions of a running demonstration older: `python -m tests.support.older_sessions`.

The tests in a browser run without the packages of the service, so they start this program.
It changes rows as the service does, because rows that were changed by SQL are refused.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select

from app.access.models import UserSession
from app.kernel.file_keys import FileKeys
from app.runtime import build_runtime


def main(folder: str, column: str, minutes: str, which: str) -> None:
    """Set a column of all sessions to the time that is `minutes` before now.

    If `which` is `newest`, change only the newest session.
    """
    keys = FileKeys.load(Path(folder) / "keys")
    runtime = build_runtime(f"sqlite:///{folder}/demo.db", keys)
    at = datetime.now(UTC) - timedelta(minutes=int(minutes))
    with runtime.database.begin_write() as session:
        newest = select(UserSession).order_by(UserSession.authenticated_at.desc())
        for row in session.scalars(newest.limit(1) if which == "newest" else newest):
            setattr(row, column, at)
    runtime.database.engine.dispose()


if __name__ == "__main__":
    main(*sys.argv[1:])
