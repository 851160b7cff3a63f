"""Compare the responses that tests get at two commits: `make compare-answers REV=`.

The tests of each commit run with its code, on SQLite: in a checkout of the other commit,
and in this checkout. Every response is recorded, and the tests whose responses differ are
printed. Texts for people are left out (`tests/support/recorded_answers.py`). The exit code
is 1 if a response differs.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

ROOT: Final = Path(__file__).parent.parent
PLUGIN: Final = Path("tests/support/recorded_answers.py")
MODULE: Final = "tests.support.recorded_answers"


def parse_arguments() -> argparse.Namespace:
    """Return the commit, the tests and the folder that the command line names."""
    parser = argparse.ArgumentParser(prog="compare_answers", description=__doc__)
    parser.add_argument("revision", help="the commit to compare this checkout with")
    parser.add_argument("tests", nargs="*", default=["tests/api"], help="files or folders")
    return parser.parse_args()


def record_answers(checkout: Path, tests: Sequence[str], folder: Path) -> None:
    """Run the tests in a checkout, and record the responses. The tests must pass."""
    options = ["--effort", "all", "--databases", "sqlite", "--record-answers", str(folder)]
    command = [sys.executable, "-m", "pytest", "-q", "-p", MODULE, *options, *tests]
    environment = os.environ | {"PYTHONPATH": str(checkout), "PYTHONHASHSEED": "0"}
    subprocess.run(command, cwd=checkout, env=environment, check=True)


def main() -> int:
    """Record the responses at both commits, compare them, and return the exit code."""
    arguments = parse_arguments()
    with TemporaryDirectory(prefix="safe-conduct-") as folder:
        before, after = Path(folder, "before"), Path(folder, "after")
        checkout = Path(folder, "checkout")
        worktree = ["git", "worktree", "add", "--detach", str(checkout)]
        subprocess.run([*worktree, arguments.revision], cwd=ROOT, check=True)
        try:
            shutil.copy(ROOT / PLUGIN, checkout / PLUGIN)
            record_answers(checkout, arguments.tests, before)
            record_answers(ROOT, arguments.tests, after)
        finally:
            remove = ["git", "worktree", "remove", "--force", str(checkout)]
            subprocess.run(remove, cwd=ROOT, check=True)
        compare = [sys.executable, "-m", MODULE, str(before), str(after)]
        return subprocess.run(compare, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
