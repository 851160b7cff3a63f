"""Run the API tests of an older commit, with its own code, on the tables of this one.

That a migration does not break whoever still runs the code before it: its tests pass on
tables that newer migrations made. `make test-older COMMIT=99db9a7`, which is the first that
can: what is older names no actor on PostgreSQL, and migration 0018 refuses it (ADR 21).
"""

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PYTEST: Final = Path(sys.executable).with_name("pytest")
NEWER: Final = ("migrations/versions", "app/kernel/migrations.py")
"""What the older code is given: the migrations, and what they call."""


def main(commit: str) -> int:
    """Check the commit out beside us, give it our migrations, and run its API tests."""
    with TemporaryDirectory() as folder:
        older = Path(folder, "older")
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--detach", str(older), commit], check=True)
        try:
            for name in NEWER:
                replace(ROOT / name, older / name)
            command = [str(PYTEST), "-q", "-n", "auto", "tests/api"]
            return subprocess.run(command, cwd=older, check=False).returncode
        finally:
            subprocess.run([*git, "remove", "--force", str(older)], check=True)


def replace(ours: Path, theirs: Path) -> None:
    """Put a file or a folder of ours in the place of theirs."""
    if ours.is_dir():
        shutil.rmtree(theirs)
        shutil.copytree(ours, theirs, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(ours, theirs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
