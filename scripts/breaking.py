"""Say which changes of the contract break clients: `make breaking`, since the last release.

`make breaking REV=HEAD~20` compares with any revision. Since a release, a break passes if
CHANGELOG.md tells it, in a version that may break: ADR 24.
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
TOLD: Final = re.compile(r"^- `(/[^`]*)`", re.MULTILINE)
SHOWN: Final = 3
FINE, BREAKING, IMPOSSIBLE = 0, 1, 2
HOW: Final = f"""
To release a break, tell it in {CHANGELOG}, under "### Breaks" of the version to come, each
on a line: "- `place`: what to do now." CONTRIBUTING.md says the rest.
""".strip()


class CannotCompareError(Exception):
    """There is nothing to compare with, though there should be."""


def main(words: list[str], root: Path = ROOT) -> int:
    """Compare, tell, and answer for the shell: 0 is fine, 1 breaks, 2 could not compare."""
    parser = ArgumentParser(prog="make breaking", description=__doc__)
    parser.add_argument("revision", nargs="?", help="of git; without, the last release")
    revision = parser.parse_args(words).revision
    try:
        return since(root, revision) if revision else since_release(root)
    except (CannotCompareError, LeadsNowhereError) as error:
        print(error, file=sys.stderr)
        return IMPOSSIBLE


def since(root: Path, revision: str) -> int:
    """Compare with the contract of a revision, whatever the changelog tells."""
    changes = compare(at_revision(root, revision), read(root / CONTRACT))
    tell(changes, revision)
    return BREAKING if any(change.breaks for change in changes) else FINE


def since_release(root: Path) -> int:
    """Compare with the contract of the last release; what is told may break."""
    changelog = (root / CHANGELOG).read_text("utf-8")
    released = last_release(changelog)
    if released is None and not (root / RELEASED).exists():
        print(f"No version of {CHANGELOG} has a date: nothing is released, nothing breaks.")
        return FINE
    then, now = read(root / RELEASED), read(root / CONTRACT)
    if released is None or then["info"]["version"] != released:
        raise CannotCompareError(
            f"{CHANGELOG} released {released or 'nothing'}, and {RELEASED} is of "
            f"{then['info']['version']}: copy {CONTRACT} when you release, and only then."
        )
    changes = compare(then, now)
    tell(changes, released)
    faults = list(faults_of(changes, changelog, released, now["info"]["version"]))
    print(*faults, sep="\n", end="\n" if faults else "", file=sys.stderr)
    return BREAKING if faults else FINE


def faults_of(
    changes: Changes, changelog: str, released: str, version: str
) -> Iterator[str]:
    """Say what is not told, what is told and not so, and whether the version may break."""
    broken, told = {change.where for change in changes if change.breaks}, told_in(changelog)
    if silent := sorted(broken - told):
        yield from (f"{CHANGELOG} does not tell of `{place}`." for place in silent)
        yield HOW
    for place in sorted(told - broken):
        yield f"{CHANGELOG} tells of `{place}`, where nothing breaks."
    if broken and not may_break(released, version):
        yield f"{version} may not break {released}: raise the version in pyproject.toml."
    if changes and version == released:
        yield f"{version} is released, and the contract is not its contract any more."


def may_break(released: str, version: str) -> bool:
    """Say whether a version may break another: a major one, a minor one before 1.0.0."""
    then, now = (
        [int(part) for part in re.findall(r"\d+", text)] for text in (released, version)
    )
    parts = 1 if then[0] else 2
    return now[:parts] > then[:parts]


def last_release(changelog: str) -> str | None:
    """Find the newest version that has a date."""
    versions = [(match[1], match[2]) for match in VERSION.finditer(changelog)]
    return next((name for name, date in versions if date != UNRELEASED), None)


def told_in(changelog: str) -> set[str]:
    """Find the places of which the version to come tells that they break."""
    parts = VERSION.split(changelog)
    if len(parts) == 1 or parts[2] != UNRELEASED:
        return set()
    breaks = parts[3].partition(BREAKS)[2].partition("\n### ")[0]
    return set(TOLD.findall(breaks))


def read(path: Path) -> dict[str, Any]:
    """Read a contract from a file."""
    try:
        return parsed(path.read_text("utf-8"), str(path))
    except OSError as error:
        raise CannotCompareError(f"Not a contract: {error}") from error


def at_revision(root: Path, revision: str) -> dict[str, Any]:
    """Read the contract of a revision of git."""
    command = ["git", "show", "--end-of-options", f"{revision}:{CONTRACT}"]
    shown = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if shown.returncode:
        raise CannotCompareError(shown.stderr.strip())
    return parsed(shown.stdout, revision)


def parsed(text: str, source: str) -> dict[str, Any]:
    """Read a contract, of which not more is asked than to be one."""
    try:
        contract = json.loads(text)
        if {"openapi", "info", "paths"} <= contract.keys():
            return dict(contract)
    except (ValueError, AttributeError):
        pass
    raise CannotCompareError(f"Not a contract: {source}")


def tell(changes: Changes, then: str) -> None:
    """Print each kind of change once, with where it is and which operations it reaches."""
    breaking = sum(change.breaks for change in changes)
    print(f"{CONTRACT} against {then}:")
    print(f"Changes that break clients: {breaking}. Others: {len(changes) - breaking}.")

    def kind(change: Change) -> tuple[bool, str]:
        return not change.breaks, change.says

    for (fine, says), alike in groupby(sorted(changes, key=kind), kind):
        places = sorted(alike)
        print(f"\n{'fine  ' if fine else 'BREAKS'}  {says}")
        for change in places[:SHOWN] if fine else places:
            print(f"        {change.where}")
            print(f"            {some(sorted(changes[change]))}")
        if fine and len(places) > SHOWN:
            print(f"        and {len(places) - SHOWN} places more")


def some(operations: list[str]) -> str:
    """Name the first operations of many."""
    more = [f"{len(operations) - SHOWN} more"] if len(operations) > SHOWN else []
    return ", ".join([*operations[:SHOWN], *more]) or "everywhere"


if __name__ == "__main__":
    signal(SIGPIPE, SIG_DFL)  # `| head` has seen enough
    sys.exit(main(sys.argv[1:]))
