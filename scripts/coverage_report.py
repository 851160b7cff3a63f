"""Measure which branches the tests on SQLite take: `make coverage`, some: `T=tests/api`.

With those of PostgreSQL that alone can take some: two requests at once. What runs as a
process of its own counts too; what measures time is left out. Fails where a branch of a
module that matters is never taken, or fewer than 95 of 100 are overall.
"""

import json
import subprocess
import sys
from typing import Any, Final

from mutation.modules import MODULES, ON_BOTH
from mutation.mutants import ROOT

FOLDER: Final = ROOT / ".coverage-report"
ENOUGH: Final = 95.0
EVERYTHING: Final = ("tests",)

type Measured = dict[str, Any]


def main(words: list[str]) -> int:
    """Measure, tell what is missing, and answer for the shell."""
    FOLDER.mkdir(exist_ok=True)
    failed = measured(words or list(EVERYTHING))
    report: Measured = json.loads((FOLDER / "coverage.json").read_text())
    for name, file in report["files"].items():
        if missing := gaps(file):
            print(f"{name}: {missing}")
    lacking = [name for name in MODULES if gaps(report["files"][name])]
    overall = branches(report["totals"])
    print(f"{overall:.1f} % of all branches, {lines(report['totals']):.1f} % of all lines")
    for name in lacking:
        print(f"{name}: not every branch is taken", file=sys.stderr)
    if overall < ENOUGH:
        print(f"Fewer than {ENOUGH} % of all branches are taken", file=sys.stderr)
    return failed or bool(lacking) or overall < ENOUGH


def measured(words: list[str]) -> int:
    """Run the tests, and write down which branches they took."""
    both = ("--databases", "postgresql", "--cov-append", *sorted(ON_BOTH))
    failed = [run("--databases", "sqlite", *words), run(*both)]
    return max(failed)


def run(*words: str) -> int:
    """Run some tests, and write down which branches were taken so far."""
    tests = [
        *(sys.executable, "-m", "pytest", "-n", "auto", "--dist", "loadscope"),
        *("--no-loadscope-reorder", "-m", "not timed"),
        *("--cov", "--cov-branch", "--cov-report="),
        f"--cov-report=json:{FOLDER / 'coverage.json'}",
        *(f"--cov-report=html:{FOLDER / 'html'}", *words),
    ]
    return subprocess.run(tests, cwd=ROOT, check=False).returncode


def gaps(file: Measured) -> str:
    """Spell what was never run, and which branches were never taken."""
    lost = [str(line) for line in file["missing_lines"]]
    turns = [f"{here}->{there}" for here, there in file["missing_branches"]]
    return ", ".join([*lost, *turns])


def branches(summary: Measured) -> float:
    """Say how many of a hundred branches were taken."""
    return share(summary["covered_branches"], summary["num_branches"])


def lines(summary: Measured) -> float:
    """Say how many of a hundred statements were run."""
    return share(summary["covered_lines"], summary["num_statements"])


def share(part: int, whole: int) -> float:
    """Say how many of a hundred."""
    return 100 * part / max(1, whole)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
