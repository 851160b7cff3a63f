"""Lint the SQL of each migration with squawk, which reports long locks.

Each migration is checked as a separate file, as it is deployed. squawk treats a table as
new only in the file that creates it, and a lock on a new table blocks no client.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from app.kernel import migrations

ROOT: Final = Path(__file__).parents[1]
SQUAWK: Final = Path(sys.executable).with_name("squawk")


def main() -> int:
    """Write each migration to a file, lint the files, and return the exit code."""
    with TemporaryDirectory() as folder:
        for revision, sql in migrations.render_sql():
            Path(folder, f"{revision}.sql").write_text(sql, encoding="utf-8")
        files = sorted(Path(folder).iterdir())
        config = ROOT / ".squawk.toml"
        return subprocess.run([SQUAWK, "--config", config, *files], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
