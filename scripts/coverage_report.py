"""Measure the branch coverage of all tests, or of some: `make coverage [T=tests/api]`.

The tests run on SQLite. Tests that need two concurrent requests also run on PostgreSQL.
Child processes are measured. Tests that measure time are left out. The script fails if a
test fails, if a line or branch of a module in `mutation/modules.py` is not covered, or if
fewer than 95 % of all branches are covered.
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
    """Run the tests, print the lines that are not covered, and return the exit code."""
    FOLDER.mkdir(exist_ok=True)
    failed = measure(words or list(EVERYTHING))
    report: Measured = json.loads((FOLDER / "coverage.json").read_text())
    for name, file in report["files"].items():
        if missing := format_gaps(file):
            print(f"{name}: {missing}")
    incomplete = [name for name in MODULES if format_gaps(report["files"][name])]
    overall = compute_branch_coverage(report["totals"])
    lines = compute_line_coverage(report["totals"])
    print(f"{overall:.1f} % of all branches, {lines:.1f} % of all lines")
    for name in incomplete:
        print(f"{name}: not every branch is covered", file=sys.stderr)
    if overall < ENOUGH:
        print(f"Fewer than {ENOUGH} % of all branches are covered", file=sys.stderr)
    return failed or bool(incomplete) or overall < ENOUGH


def measure(words: list[str]) -> int:
    """Run the tests on SQLite and some on PostgreSQL; return the highest exit code."""
    both = ("--databases", "postgresql", "--cov-append", *sorted(ON_BOTH))
    failed = [run_tests("--databases", "sqlite", *words), run_tests(*both)]
    return max(failed)


def run_tests(*words: str) -> int:
    """Run tests, measure their coverage, write the reports, and return the exit code."""
    tests = [
        sys.executable,
        "-m",
        "pytest",
        "-n",
        "auto",
        "--dist",
        "loadscope",
        "--no-loadscope-reorder",
        "-m",
        "not timed",
        "--cov",
        "--cov-branch",
        "--cov-report=",
        f"--cov-report=json:{FOLDER / 'coverage.json'}",
        f"--cov-report=html:{FOLDER / 'html'}",
        *words,
    ]
    return subprocess.run(tests, cwd=ROOT, check=False).returncode


def format_gaps(file: Measured) -> str:
    """Return the lines and branches of a file that are not covered, as text."""
    lines = [str(line) for line in file["missing_lines"]]
    branches = [f"{here}->{there}" for here, there in file["missing_branches"]]
    return ", ".join([*lines, *branches])


def compute_branch_coverage(summary: Measured) -> float:
    """Return the percentage of covered branches."""
    return compute_percentage(summary["covered_branches"], summary["num_branches"])


def compute_line_coverage(summary: Measured) -> float:
    """Return the percentage of covered statements."""
    return compute_percentage(summary["covered_lines"], summary["num_statements"])


def compute_percentage(part: int, whole: int) -> float:
    """Return a part of a whole as a percentage."""
    return 100 * part / max(1, whole)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
