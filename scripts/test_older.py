"""Run the API tests of an older commit, with its code, on the current tables.

This shows that a migration does not break a service that still runs older code. Run `make
test-older COMMIT=99db9a7`. That commit is the oldest that can pass: on PostgreSQL, older
code does not set the office for which a transaction acts, and migration 0018 rejects such
transactions (ADR 21).
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
"""The migrations and the module that they use. They replace the older ones."""


def main(commit: str) -> int:
    """Check out a commit, add the migrations, run the API tests; return the exit code."""
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


def replace(source: Path, target: Path) -> None:
    """Replace a file or folder of the older commit with the current one."""
    if source.is_dir():
        shutil.rmtree(target)
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
