"""Report the changes to the API contract that break clients: `make breaking`.

The contract is compared with the contract of the last release, or of another revision:
`make breaking REV=HEAD~20`. After a release, a breaking change is accepted if CHANGELOG.md
lists it and the new version number permits breaking changes (ADR 24).
"""

import json
import re
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from signal import SIG_DFL, SIGPIPE, signal
from typing import Any, Final

from compatibility.changes import Change
from compatibility.documents import Changes, compare
from compatibility.places import LeadsNowhereError

ROOT: Final = Path(__file__).parents[1]
CONTRACT: Final = "openapi/openapi-3.1.json"
RELEASED: Final = "openapi/released-3.1.json"
CHANGELOG: Final = "CHANGELOG.md"
VERSION: Final = re.compile(r"^## (\S+) - (\S+)$", re.MULTILINE)
UNRELEASED: Final = "Unreleased"
BREAKS: Final = "\n### Breaks\n"
LISTED: Final = re.compile(r"^- `(/[^`]*)`", re.MULTILINE)
SHOWN: Final = 3
FINE, BREAKING, IMPOSSIBLE = 0, 1, 2
ADVICE: Final = f"""
List each breaking change in {CHANGELOG}, under "### Breaks" of the unreleased version, on
a line of its own: "- `place`: what clients have to do." See CONTRIBUTING.md.
""".strip()


class CannotCompareError(Exception):
    """The other contract is missing or invalid."""


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Compare the contracts, and return the exit code.

    The exit code is 0 if the changes are permitted, 1 if they are not, and 2 on errors.
    """
    parser = ArgumentParser(prog="make breaking", description=__doc__)
    parser.add_argument(
        "revision", nargs="?", help="a git revision; default: the last release"
    )
    revision = parser.parse_args(arguments).revision
    try:
        return (
            compare_with_revision(root, revision)
            if revision
            else compare_with_release(root)
        )
    except (CannotCompareError, LeadsNowhereError) as error:
        print(error, file=sys.stderr)
        return IMPOSSIBLE


def compare_with_revision(root: Path, revision: str) -> int:
    """Compare with the contract of a revision, and return the exit code."""
    changes = compare(read_revision(root, revision), read(root / CONTRACT))
    print_changes(changes, revision)
    return BREAKING if any(change.breaks for change in changes) else FINE


def compare_with_release(root: Path) -> int:
    """Compare with the contract of the last release, and return the exit code.

    Breaking changes are accepted if the changelog lists them and the version permits them.
    """
    changelog = (root / CHANGELOG).read_text("utf-8")
    released = find_last_release(changelog)
    if released is None and not (root / RELEASED).exists():
        print(f"No version of {CHANGELOG} has a date: nothing is released.")
        return FINE
    then, now = read(root / RELEASED), read(root / CONTRACT)
    if released is None or then["info"]["version"] != released:
        raise CannotCompareError(
            f"{CHANGELOG} released {released or 'nothing'}, but {RELEASED} is of "
            f"{then['info']['version']}: copy {CONTRACT} there with each release only."
        )
    changes = compare(then, now)
    print_changes(changes, released)
    faults = list(find_faults(changes, changelog, released, now["info"]["version"]))
    print(*faults, sep="\n", end="\n" if faults else "", file=sys.stderr)
    return BREAKING if faults else FINE


def find_faults(
    changes: Changes, changelog: str, released: str, version: str
) -> Iterator[str]:
    """Yield each fault of the changelog and the version number."""
    broken, listed = (
        {change.where for change in changes if change.breaks},
        find_listed_breaks(changelog),
    )
    if unlisted := sorted(broken - listed):
        yield from (
            f"{CHANGELOG} does not list the breaking change at `{place}`."
            for place in unlisted
        )
        yield ADVICE
    for place in sorted(listed - broken):
        yield f"{CHANGELOG} lists `{place}`, where nothing breaks."
    if broken and not may_break(released, version):
        yield f"{version} may not break {released}: raise the version in pyproject.toml."
    if changes and version == released:
        yield f"{version} is released, but the contract differs from the released one."


def may_break(released: str, version: str) -> bool:
    """Return whether a new version may break clients of the released version.

    A new major version may. Before 1.0.0, a new minor version may as well.
    """
    then, now = (
        [int(part) for part in re.findall(r"\d+", text)] for text in (released, version)
    )
    parts = 1 if then[0] else 2
    return now[:parts] > then[:parts]


def find_last_release(changelog: str) -> str | None:
    """Return the newest version in the changelog that has a date, or None."""
    versions = [(match[1], match[2]) for match in VERSION.finditer(changelog)]
    return next((name for name, date in versions if date != UNRELEASED), None)


def find_listed_breaks(changelog: str) -> set[str]:
    """Return the places that the changelog lists as breaking in the unreleased version."""
    parts = VERSION.split(changelog)
    if len(parts) == 1 or parts[2] != UNRELEASED:
        return set()
    breaks = parts[3].partition(BREAKS)[2].partition("\n### ")[0]
    return set(LISTED.findall(breaks))


def read(path: Path) -> dict[str, Any]:
    """Read a contract from a file, or raise CannotCompareError if it cannot be read."""
    try:
        return parse(path.read_text("utf-8"), str(path))
    except OSError as error:
        raise CannotCompareError(f"Not a contract: {error}") from error


def read_revision(root: Path, revision: str) -> dict[str, Any]:
    """Read the contract of a git revision, or raise CannotCompareError if there is none."""
    command = ["git", "show", "--end-of-options", f"{revision}:{CONTRACT}"]
    shown = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if shown.returncode:
        raise CannotCompareError(shown.stderr.strip())
    return parse(shown.stdout, revision)


def parse(text: str, source: str) -> dict[str, Any]:
    """Parse a contract, or raise CannotCompareError if it is not JSON with basic fields."""
    try:
        contract = json.loads(text)
        if {"openapi", "info", "paths"} <= contract.keys():
            return dict(contract)
    except (ValueError, AttributeError):
        pass
    raise CannotCompareError(f"Not a contract: {source}")


def print_changes(changes: Changes, then: str) -> None:
    """Print each kind of change once, with its places and the affected operations."""
    breaking = sum(change.breaks for change in changes)
    print(f"{CONTRACT} against {then}:")
    print(f"Changes that break clients: {breaking}. Others: {len(changes) - breaking}.")

    def get_kind(change: Change) -> tuple[bool, str]:
        return not change.breaks, change.message

    for (fine, message), alike in groupby(sorted(changes, key=get_kind), get_kind):
        places = sorted(alike)
        print(f"\n{'fine  ' if fine else 'BREAKS'}  {message}")
        for change in places[:SHOWN] if fine else places:
            print(f"        {change.where}")
            print(f"            {format_operations(sorted(changes[change]))}")
        if fine and len(places) > SHOWN:
            print(f"        and {len(places) - SHOWN} more places")


def format_operations(operations: list[str]) -> str:
    """Return the first operations and the number of others as text, or `all operations`."""
    more = [f"{len(operations) - SHOWN} more"] if len(operations) > SHOWN else []
    return ", ".join([*operations[:SHOWN], *more]) or "all operations"


if __name__ == "__main__":
    signal(SIGPIPE, SIG_DFL)  # `| head` closes the pipe
    sys.exit(main(sys.argv[1:]))
